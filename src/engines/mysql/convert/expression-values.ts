import type { Column } from "../../../core/schema.ts";
import { tellsTextsApart } from "../../shared/catalog/folded-keys.ts";
import { literal } from "../catalog/identifier.ts";
import type { MysqlType } from "./convert-type.ts";

/** What is known of a value, as far as both servers do the same with it; "other": only whether it is NULL. */
export type ValueKind =
  | "int"
  | "decimal"
  | "double"
  | "text"
  | "enum"
  | "boolean"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "uuid"
  | "other";

/** A part of an expression in MySQL's words. */
export interface Value {
  readonly sql: string;
  readonly kind: ValueKind;
  /** A constant as PostgreSQL writes it. */
  readonly constant?: string;
  /** Of whole and decimal numbers: how many digits there may be before and behind the point. */
  readonly whole?: number;
  readonly scale?: number;
}

/** A column as expressions see it. */
export type ExpressionColumn = Omit<Value, "sql" | "constant"> & {
  /** Its name on the target. */
  readonly name: string;
  /** `char` here, which may show the spaces that fill it up. */
  readonly padded?: true;
};

/** By the name on the source. */
export type ExpressionColumns = ReadonlyMap<string, ExpressionColumn>;

const INT_DIGITS = 19;
const MOST_DIGITS = 65;
const MOST_SCALE = 30;

/** What an expression may do with a column of PostgreSQL that is of this type here. */
export function expressionColumn(column: Column, name: string, here: MysqlType): ExpressionColumn {
  const known = columnOf(column, name, here);
  return here.native.startsWith("char(") ? { ...known, padded: true } : known;
}

function columnOf(column: Column, name: string, here: MysqlType): ExpressionColumn {
  const { type, convertsTo } = column;
  if (convertsTo !== undefined) return { name, kind: "other" };
  switch (type.kind) {
    case "int":
      return type.unsigned ? { name, kind: "other" } : { name, kind: "int", whole: INT_DIGITS, scale: 0 };
    case "decimal":
      return decimalColumn(name, here);
    case "float":
      return { name, kind: "double" };
    case "string": {
      // Spaces that fill up a value of fixed length count only where the column here keeps them.
      const isPlain = tellsTextsApart(column) && (!type.fixed || here.native.startsWith("char("));
      return { name, kind: isPlain ? "text" : "other" };
    }
    case "time":
      return { name, kind: type.zoned ? "other" : "time" };
    case "timestamp":
      return { name, kind: type.zoned ? "timestamptz" : "timestamp" };
    case "enum":
    case "boolean":
    case "date":
    case "uuid":
      return { name, kind: type.kind };
    default:
      return { name, kind: "other" };
  }
}

function decimalColumn(name: string, { native }: MysqlType): ExpressionColumn {
  const [, digits, scale] = /^decimal\((\d+),(\d+)\)$/.exec(native) ?? [];
  if (digits === undefined) return { name, kind: "other" };
  return { name, kind: "decimal", whole: Number(digits) - Number(scale), scale: Number(scale) };
}

/** What gives any whole number. */
export function intValue(sql: string): Value {
  return { sql, kind: "int", whole: INT_DIGITS, scale: 0 };
}

/** A number, as a constant. */
export function numberValue(text: string): Value {
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const kind = text.includes(".") ? "decimal" : "int";
  return { sql: text, kind, constant: text, whole: whole.length, scale: fraction.length };
}

const INTEGER_TYPES = new Set(["smallint", "integer", "bigint"]);
const TEXT_TYPES = new Set(["text", "character varying", "bpchar", "name"]);
const DATE = String.raw`(?!0000)\d{4}-\d\d-\d\d`;
const CLOCK = String.raw`\d\d:\d\d:\d\d(?:\.\d{1,6})?`;

/** Types of constants that are written in quotes, and which texts of them mean the same here; the zone is left away. */
const QUOTED: ReadonlyMap<string, readonly [ValueKind, RegExp]> = new Map([
  ["date", ["date", new RegExp(`^(${DATE})$`)]],
  ["time without time zone", ["time", new RegExp(`^(${CLOCK})$`)]],
  ["timestamp without time zone", ["timestamp", new RegExp(`^(${DATE} ${CLOCK})$`)]],
  ["timestamp with time zone", ["timestamptz", new RegExp(`^(${DATE} ${CLOCK})\\+00$`)]],
  ["uuid", ["uuid", /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/]],
]);

/** A constant in quotes of a type; undefined when this server has no such value. */
export function quotedValue(text: string, type: string): Value | undefined {
  if (TEXT_TYPES.has(type)) {
    const isPadded = type === "bpchar" && text.endsWith(" ");
    return isPadded ? undefined : { sql: literal(text), kind: "text", constant: text };
  }
  if (INTEGER_TYPES.has(type)) return /^-?\d+$/.test(text) ? numberValue(text) : undefined;
  if (type === "numeric") return /^-?\d+(?:\.\d+)?$/.test(text) ? castTo(numberValue(text), type) : undefined;
  if (type === "double precision") return doubleValue(text);
  const known = QUOTED.get(type);
  if (known !== undefined) {
    const [, kept] = known[1].exec(text) ?? [];
    // Without its word a date would be a text beside others, and be compared as one.
    const word = known[0] === "uuid" ? "" : known[0].replace("tz", "");
    return kept === undefined ? undefined : { sql: word + literal(kept), kind: known[0], constant: kept };
  }
  // A label. Only a column of labels can be compared with one.
  return /[[(]/.test(type) ? undefined : { sql: literal(text), kind: "enum", constant: text };
}

/** With an exponent it is a double here, too. */
function doubleValue(text: string): Value | undefined {
  if (!/^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(text)) return undefined;
  return { sql: /e/i.test(text) ? text : `${text}e0`, kind: "double", constant: text };
}

/** A cast of what is not a constant in quotes; undefined when it may give another value than it would here. */
export function castTo(value: Value, type: string): Value | undefined {
  const { kind, constant } = value;
  if (TEXT_TYPES.has(type))
    return kind === "text" || kind === "enum" ? { ...value, kind: "text" } : undefined;
  if (INTEGER_TYPES.has(type)) return kind === "int" ? value : undefined;
  if (type === "numeric")
    return kind === "int" || kind === "decimal" ? { ...value, kind: "decimal" } : undefined;
  if (type !== "double precision") return undefined;
  if (constant !== undefined && (kind === "int" || kind === "decimal")) return doubleValue(constant);
  return kind === "double" ? value : undefined;
}

/** Sums, differences and products of whole and decimal numbers; a quotient and a rest by a positive whole constant. */
export function arithmetic(operator: string, left: Value, right: Value): Value | undefined {
  const areInts = left.kind === "int" && right.kind === "int";
  if (operator === "/" || operator === "%") {
    if (!areInts || !/^[1-9]\d*$/.test(right.constant ?? "")) return undefined;
    const word = operator === "/" ? "div" : "%";
    return intValue(`(${left.sql} ${word} ${right.sql})`);
  }
  const sql = `(${left.sql} ${operator} ${right.sql})`;
  if (areInts) return intValue(sql);
  if (left.whole === undefined || right.whole === undefined) return undefined;
  const isProduct = operator === "*";
  const scales = [left.scale!, right.scale!] as const;
  const scale = isProduct ? scales[0] + scales[1] : Math.max(...scales);
  const whole = isProduct ? left.whole + right.whole : Math.max(left.whole, right.whole) + 1;
  const isExact = scale <= MOST_SCALE && whole + scale <= MOST_DIGITS;
  return isExact ? { sql, kind: "decimal", whole, scale } : undefined;
}

const EQUALITY = new Set(["=", "<>"]);
const ORDERED = new Set<ValueKind>(["double", "date", "time", "timestamp", "timestamptz"]);
const UNORDERED = new Set<ValueKind>(["text", "enum", "boolean", "uuid"]);

/** Whether both servers compare two values alike. `exactTexts`: spaces at the end of texts count here, too. */
export function isComparable(operator: string, left: Value, right: Value, exactTexts: boolean): boolean {
  const isNumber = ({ whole }: Value): boolean => whole !== undefined;
  if (left.constant !== undefined && right.constant !== undefined) return false;
  if (isNumber(left) || isNumber(right)) return isNumber(left) && isNumber(right);
  if (left.kind !== right.kind) return false;
  if (ORDERED.has(left.kind)) return true;
  // Labels have an order of their own there, and texts another one here.
  return EQUALITY.has(operator) && UNORDERED.has(left.kind) && (exactTexts || left.kind !== "text");
}
