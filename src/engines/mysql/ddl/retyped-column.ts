import type { Column, LogicalType } from "../../../core/schema.ts";
import type { ShapedColumn } from "./altered-columns.ts";

/**
 * Why a column's rows may hold other values than before, when it has got another definition; undefined when each value
 * stayed what it was. Follows "The table". `isStrict`: values without a place in the new type were errors.
 */
export function whyOtherValues(
  before: ShapedColumn,
  after: ShapedColumn,
  isStrict: boolean,
): string | undefined {
  const { name } = before.column;
  if (after.column.identity !== undefined && before.column.identity === undefined) {
    return `numbers rows in its column ${name}, also those that had 0 or NULL there`;
  }
  // In a timestamp NULL becomes the current time, and no error.
  const makesErrors = isStrict && !/^timestamp/.test(after.column.nativeType);
  if (before.column.nullable && !after.column.nullable && !makesErrors) {
    return `takes no NULLs in its column ${name} any more, which has perhaps made others of them`;
  }
  if (before.shape.type === after.shape.type) return undefined;
  return keepsValues(before.column, after.column, isStrict)
    ? undefined
    : `has another type in its column ${name}, which has perhaps changed its values`;
}

function keepsValues(before: Column, after: Column, isStrict: boolean): boolean {
  const [was, is] = [before.type, after.type];
  if (familyOf(before) !== familyOf(after)) return false;
  if (isInteger(was) && isInteger(is)) return isStrict || isWider(was, is);
  if (was.kind !== is.kind) return false;
  const isUnsigned = ({ nativeType }: Column): boolean => / unsigned$/.test(nativeType);
  if (!isStrict && isUnsigned(after) && !isUnsigned(before)) return false;
  switch (was.kind) {
    case "string":
      // Spaces that fill a fixed column up are no part of its values; in others they are cut silently, or not.
      return was.fixed === (is as typeof was).fixed && keepsText(before, after, isStrict);
    case "bytes":
      return !was.fixed && !(is as typeof was).fixed && (isStrict || maxBytes(is) >= maxBytes(was));
    case "decimal":
      return keepsDecimals(was, is as typeof was, isStrict);
    case "timestamp":
    case "time":
      return is.kind === was.kind && is.zoned === was.zoned && is.precision >= was.precision;
    case "enum":
      return startsWith(is, was);
    case "float":
      return (
        (is as typeof was).bits >= was.bits &&
        before.nativeType === after.nativeType.replace("double", "float")
      );
    default:
      return false;
  }
}

const PLAIN =
  /^(?:(?:tiny|small|medium|big)?int|(?:tiny|medium|long)?(?:text|blob)|(?:var)?(?:char|binary))(?![a-z0-9])/;

/** What a type is where its kind does not tell: year is a number, inet6 a text, a point bytes, each with values of its own. */
function familyOf({ nativeType, type: { kind } }: Column): string {
  const isShared = kind === "int" || kind === "string" || kind === "bytes";
  return !isShared || PLAIN.test(nativeType) ? "" : (/^[a-z0-9]+/.exec(nativeType)?.[0] ?? nativeType);
}

type Integer = Extract<LogicalType, { readonly kind: "int" }>;

function isInteger(type: LogicalType): type is Integer {
  return type.kind === "int";
}

function isWider(was: Integer, is: Integer): boolean {
  if (was.unsigned === is.unsigned) return is.bits >= was.bits;
  return was.unsigned && is.bits > was.bits;
}

/** Characters that the new set has not are errors in strict mode. */
function keepsText(before: Column, after: Column, isStrict: boolean): boolean {
  if (isStrict) return true;
  const charset = (collation: string | undefined): string => (collation ?? "").split("_", 1)[0]!;
  const [was, is] = [charset(before.collation), charset(after.collation)];
  return (was === is || is === "utf8mb4") && textRoom(after) >= textRoom(before);
}

const TEXT_ROOM: Readonly<Record<string, number>> = {
  tinytext: 60,
  text: 16_000,
  mediumtext: 4e6,
  longtext: 1e9,
};

/** Characters that a column has room for at least. */
function textRoom({ nativeType, type }: Column): number {
  return (type.kind === "string" ? type.maxChars : undefined) ?? TEXT_ROOM[nativeType] ?? 0;
}

function maxBytes(type: LogicalType): number {
  return type.kind === "bytes" ? (type.maxBytes ?? Number.MAX_SAFE_INTEGER) : 0;
}

type Decimal = Extract<LogicalType, { readonly kind: "decimal" }>;

/** Digits behind the point that are cut are rounded without an error. */
function keepsDecimals(was: Decimal, is: Decimal, isStrict: boolean): boolean {
  const [before, after] = [was, is].map(({ precision = 0, scale = 0 }) => ({
    scale,
    whole: precision - scale,
  }));
  return after!.scale >= before!.scale && (isStrict || after!.whole >= before!.whole);
}

function startsWith(is: LogicalType, was: LogicalType): boolean {
  if (is.kind !== "enum" || was.kind !== "enum") return false;
  return was.values.every((value, at) => is.values[at] === value);
}
