import { type DigestForm, LONGEST_PLAIN_BYTES } from "../../../core/row-digest.ts";
import type { Column, LogicalType } from "../../../core/schema.ts";
import { identifier } from "../catalog/identifier.ts";
import { dateSql, timeSql, timestampSql } from "./moment-sql.ts";
import { textSql, uuidSql } from "./text-sql.ts";

/** Digits that a decimal may have. */
const MOST_DIGITS = 65;
const GEOMETRIES = /^(?:geometry|point|linestring|polygon|multi\w+|geom(?:etry)?collection)\b/i;

/**
 * A column's value in a form (core/row-digest.ts), of an open one its length before it; NULL where the value is.
 * Undefined where the server has no cheap way to write it, or none that all versions have.
 */
export function valueSql(column: Column, form: DigestForm): readonly string[] | undefined {
  const { type } = column;
  switch (form.kind) {
    case "text":
      return openTextSql(column, form.trims === true);
    case "bytes":
      return type.kind === "bytes" ? openBytesSql(column) : undefined;
    default: {
      const sql = closedSql(column, form);
      return sql === undefined ? undefined : [sql];
    }
  }
}

/** Whether what is written of a value may be NULL because it is longer than max_allowed_packet. */
export function mayFail({ nativeType }: Column): boolean {
  return GEOMETRIES.test(nativeType);
}

function closedSql(column: Column, form: DigestForm): string | undefined {
  const { type } = column;
  const name = identifier(column.name);
  switch (form.kind) {
    case "boolean":
      if (type.kind === "boolean") return `${name} <> 0`;
      if (type.kind === "bit") return type.length === 1 ? `${name} + 0` : undefined;
      return type.kind === "int" ? numberSql(column) : undefined;
    case "int":
      return type.kind === "int" ? numberSql(column) : undefined;
    case "decimal":
      return decimalSql(column, form.scale);
    case "float":
      return type.kind === "float" && type.bits === form.bits ? bitsOfFloatSql(name) : undefined;
    case "date":
      return dateSql(name, type);
    case "timestamp":
      return timestampSql(name, type, form.digits);
    case "time":
      return timeSql(column, form.digits);
    case "uuid":
      return type.kind === "uuid" ? textSql(column) : uuidSql(column);
    case "bits":
      if (type.kind !== "bit") return undefined;
      return form.trims === true ? `bin(${name} + 0)` : bitStringSql(name, type.length);
    case "json":
      return form.asSent === true && (type.kind === "json" || type.kind === "string")
        ? ownSql(column)
        : undefined;
    default:
      return ownSql(column);
  }
}

/** A number without the zeros that ZEROFILL and YEAR show. */
function numberSql({ name, nativeType }: Column): string {
  return /\b(?:zerofill|year)\b/i.test(nativeType) ? `${identifier(name)} + 0` : identifier(name);
}

/** Digits that a cast has no room for would be cut to nines. */
function decimalSql(column: Column, scale: number | undefined): string | undefined {
  const { type } = column;
  if (scale === undefined || (type.kind !== "decimal" && type.kind !== "int")) return undefined;
  const number = numberSql(column);
  const own = type.kind === "decimal" ? (type.scale ?? 0) : 0;
  if (own === scale) return number;
  if (own > scale) return `round(${number}, ${scale})`;
  const digits = type.kind === "decimal" ? (type.precision ?? MOST_DIGITS) : 20;
  return digits - own + scale <= MOST_DIGITS
    ? `cast(${number} as decimal(${MOST_DIGITS}, ${scale}))`
    : undefined;
}

/**
 * A point is the one thing that shows a number's bits; its last coordinate comes first when the bytes are turned around.
 * The product is exact where the column has a scale, and the sum takes the sign from zero.
 */
function bitsOfFloatSql(name: string): string {
  return `lower(hex(left(reverse(st_aswkb(point(0, ${name} * 1e0 + 0))), 8)))`;
}

function bitStringSql(name: string, length: number): string {
  return `lpad(bin(${name} + 0), ${length}, '0')`;
}

/** Of what the server shows as all engines do. */
function ownSql(column: Column): string | undefined {
  const { type } = column;
  switch (type.kind) {
    case "int":
    case "decimal":
      return `md5(${numberSql(column)})`;
    case "bit":
      return `md5(${bitStringSql(identifier(column.name), type.length)})`;
    case "date":
      return `md5(${identifier(column.name)})`;
    default: {
      const text = textSql(column);
      return text === undefined ? undefined : `md5(${text})`;
    }
  }
}

function openTextSql(column: Column, trims: boolean): readonly string[] | undefined {
  const { type } = column;
  if (type.kind === "boolean") {
    const name = identifier(column.name);
    return [`if(${name} <> 0, 4, 5)`, `if(${name} <> 0, 'true', 'false')`];
  }
  const text = textSql(column);
  if (text === undefined || type.kind === "json") return undefined;
  return openSql(trims ? `trim(trailing ' ' from ${text})` : text, isShort(type), (plain) => plain);
}

function isShort(type: LogicalType): boolean {
  const bytesOfCharacter = 4;
  return (
    type.kind === "string" &&
    type.maxChars !== undefined &&
    type.maxChars * bytesOfCharacter <= LONGEST_PLAIN_BYTES
  );
}

function openBytesSql({ name, type, nativeType }: Column): readonly string[] {
  const isFew = type.kind === "bytes" && type.maxBytes !== undefined && type.maxBytes <= LONGEST_PLAIN_BYTES;
  const bytes = GEOMETRIES.test(nativeType) ? extendedSql(identifier(name)) : identifier(name);
  return openSql(bytes, isFew, (plain) => `lower(hex(${plain}))`);
}

function openSql(value: string, isFew: boolean, write: (value: string) => string): readonly string[] {
  const length = `length(${value})`;
  if (isFew) return [length, write(value)];
  return [length, `if(${length} <= ${LONGEST_PLAIN_BYTES}, ${write(value)}, md5(${value}))`];
}

/**
 * A geometry as PostGIS has it: the number of the reference system, which the server keeps in front of the order of bytes
 * (always that of Intel's processors) and the kind, comes after these, and its bit marks the kind; zero is left out.
 */
function extendedSql(name: string): string {
  const kind = `substr(${name}, 5, 4), char(ord(substr(${name}, 9, 1)) | 32)`;
  const reference = `left(${name}, 4)`;
  return `if(${reference} = x'00000000', substr(${name}, 5), concat(${kind}, ${reference}, substr(${name}, 10)))`;
}
