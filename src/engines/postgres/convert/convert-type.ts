import type { Column, LogicalType, ShapeType } from "../../../core/schema.ts";

/** PostgreSQL's timestamps and times have microseconds. */
const MAX_PRECISION = 6;
/** The longest that varchar(n) may be declared; also char(n). */
const MAX_CHARS = 10_485_760;

/** PostGIS gives numbers of reference systems beyond this to nobody, and takes others for those beyond 999999. */
const LAST_USER_REFERENCE = 998_999;

/**
 * PostGIS's type for shapes; undefined for those of a reference system that it cannot have. `geometry`: its name in SQL.
 */
export function shapeType({ of, reference = 0 }: ShapeType, geometry: string): string | undefined {
  if (reference > LAST_USER_REFERENCE) return undefined;
  // The source's columns of collections take all other shapes, too.
  const kind = of === "geometrycollection" ? "geometry" : of;
  if (reference > 0) return `${geometry}(${kind},${reference})`;
  return kind === "geometry" ? geometry : `${geometry}(${kind})`;
}

/** Whether a column of the target is one of PostGIS. */
export function isShape({ type, nativeType }: Pick<Column, "type" | "nativeType">): boolean {
  return type.kind === "bytes" && type.shape !== undefined && nativeType !== "bytea";
}

/**
 * The type that holds what a logical type holds, as PostgreSQL itself writes it (format_type). What is sent in text
 * has the form of docs/decisions/021, which each of these reads.
 */
export function postgresType(type: LogicalType): string {
  switch (type.kind) {
    case "int":
      return integerType(type.bits, type.unsigned);
    case "float":
      return type.bits === 32 ? "real" : "double precision";
    case "decimal":
      return type.precision === undefined ? "numeric" : `numeric(${type.precision},${type.scale ?? 0})`;
    case "string":
      return stringType(type.maxChars, type.fixed);
    case "enum":
      return stringType(Math.max(0, ...type.values.map(characters)), false);
    case "set":
    case "opaque":
      return "text";
    case "bytes":
      return "bytea";
    case "json":
      return "jsonb";
    case "bit":
      return `bit(${type.length})`;
    case "time":
    case "timestamp":
      return `${type.kind}(${Math.min(type.precision, MAX_PRECISION)}) with${type.zoned ? "" : "out"} time zone`;
    case "array":
      return `${postgresType(type.of)}[]`;
    default:
      return type.kind;
  }
}

/** An unsigned integer needs the next larger type, and the largest of them digits. */
function integerType(bits: 8 | 16 | 24 | 32 | 64, unsigned: boolean): string {
  const needed = unsigned ? bits + 1 : bits;
  if (needed <= 16) return "smallint";
  if (needed <= 32) return "integer";
  return needed <= 64 ? "bigint" : "numeric(20,0)";
}

/** A length of 0, which only '' fits, cannot be declared. */
function stringType(maxChars: number | undefined, fixed: boolean): string {
  if (maxChars === undefined || maxChars > MAX_CHARS) return "text";
  return `${fixed ? "character" : "character varying"}(${Math.max(1, maxChars)})`;
}

/** As servers count them: code points. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
