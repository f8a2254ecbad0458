import type { LogicalType } from "../../../core/schema.ts";

/** A row of pg_type, as far as it decides what a value is. */
export interface NativeType {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** typtype: b(ase), c(omposite), d(omain), e(num), p(seudo), r(ange), m(ultirange). */
  readonly kind: string;
  /** A string (typcategory "S") that it sends as text does in binary: one that does it in its own way is no text. */
  readonly isText: boolean;
  /** Element of a true array, else undefined. */
  readonly element: string | undefined;
  /** A domain's base type and its modifier, else undefined and -1. */
  readonly base: string | undefined;
  readonly baseModifier: number;
  readonly labels: readonly string[];
}

/** Bytes of a varlena header, which some type modifiers include. */
const HEADER = 4;
const MAX_PRECISION = 6;
const OPAQUE: LogicalType = { kind: "opaque" };

/**
 * What a column of a type holds, whatever engine looks at it. A domain is its base type, an unknown
 * type is opaque: its text form is carried unchanged.
 */
export function logicalType(
  oid: string,
  modifier: number,
  types: ReadonlyMap<string, NativeType>,
): LogicalType {
  const type = types.get(oid);
  if (type === undefined) return OPAQUE;
  if (type.kind === "e") return { kind: "enum", values: type.labels };
  if (type.kind === "d" && type.base !== undefined) return logicalType(type.base, type.baseModifier, types);
  if (type.element !== undefined) return { kind: "array", of: logicalType(type.element, modifier, types) };
  if (type.schema === "pg_catalog") return builtIn(type.name, modifier);
  return type.kind === "b" && type.isText ? { kind: "string", fixed: false } : OPAQUE;
}

function builtIn(name: string, modifier: number): LogicalType {
  switch (name) {
    case "bool":
      return { kind: "boolean" };
    case "int2":
      return { kind: "int", bits: 16, unsigned: false };
    case "int4":
      return { kind: "int", bits: 32, unsigned: false };
    case "int8":
      return { kind: "int", bits: 64, unsigned: false };
    case "oid":
      return { kind: "int", bits: 32, unsigned: true };
    case "float4":
      return { kind: "float", bits: 32 };
    case "float8":
      return { kind: "float", bits: 64 };
    case "numeric":
      return decimal(modifier);
    case "text":
      return { kind: "string", fixed: false };
    case "name":
      return { kind: "string", maxChars: 63, fixed: false };
    case "varchar":
      return { kind: "string", ...maxChars(modifier), fixed: false };
    case "bpchar":
      return { kind: "string", ...maxChars(modifier), fixed: modifier >= HEADER };
    case "bytea":
      return { kind: "bytes", fixed: false };
    case "date":
    case "uuid":
    case "xml":
    case "interval":
      return { kind: name };
    case "json":
    case "jsonb":
      return { kind: "json" };
    case "time":
    case "timetz":
      return { kind: "time", precision: precision(modifier), zoned: name === "timetz" };
    case "timestamp":
    case "timestamptz":
      return { kind: "timestamp", precision: precision(modifier), zoned: name === "timestamptz" };
    case "bit":
      return { kind: "bit", length: modifier < 0 ? 1 : modifier };
    default:
      return OPAQUE;
  }
}

/** numeric's modifier: precision in the upper half, scale as an 11-bit signed number in the lower. */
function decimal(modifier: number): LogicalType {
  if (modifier < HEADER) return { kind: "decimal" };
  const packed = modifier - HEADER;
  const scale = ((packed & 0x7ff) ^ 0x400) - 0x400;
  return { kind: "decimal", precision: (packed >> 16) & 0xffff, scale };
}

function maxChars(modifier: number): { readonly maxChars?: number } {
  return modifier < HEADER ? {} : { maxChars: modifier - HEADER };
}

function precision(modifier: number): number {
  return modifier < 0 ? MAX_PRECISION : modifier;
}
