import type { Column } from "../../../core/schema.ts";
import { decimalSize } from "./binlog-decimal.ts";
import { ColumnKind, type MappedColumn } from "./binlog-table-map.ts";

/** How a value in the log becomes the text of its logical type. */
export const CellKind = {
  int8: 0,
  uint8: 1,
  int16: 2,
  uint16: 3,
  int24: 4,
  uint24: 5,
  int32: 6,
  uint32: 7,
  int64: 8,
  uint64: 9,
  float: 10,
  double: 11,
  decimal: 12,
  year: 13,
  boolean: 14,
  date: 15,
  time: 16,
  datetime: 17,
  timestamp: 18,
  oldTime: 19,
  oldDatetime: 20,
  oldTimestamp: 21,
  bit: 22,
  enum: 23,
  set: 24,
  /** From here on a length stands before the value. */
  utf8: 32,
  text: 33,
  bytes: 34,
  fixedBytes: 35,
  uuid: 36,
  inet4: 37,
  inet6: 38,
  geometry: 39,
  json: 40,
} as const;
export type CellKind = (typeof CellKind)[keyof typeof CellKind];

/** What stands before a value's bytes, or how many there are. */
export interface CellSize {
  /** Bytes of the value; -1, -2, -3 or -4 for as many bytes of a length that stands before it. */
  readonly size: number;
}

/** undefined for a type that is not known: what follows it in a row cannot be found. */
export function sizeOf({ kind, meta }: MappedColumn): number | undefined {
  switch (kind) {
    case ColumnKind.null:
      return 0;
    case ColumnKind.tiny:
    case ColumnKind.year:
      return 1;
    case ColumnKind.short:
      return 2;
    case ColumnKind.int24:
    case ColumnKind.date:
    case ColumnKind.newdate:
    case ColumnKind.time:
      return 3;
    case ColumnKind.long:
    case ColumnKind.float:
    case ColumnKind.timestamp:
      return 4;
    case ColumnKind.longlong:
    case ColumnKind.double:
    case ColumnKind.datetime:
      return 8;
    case ColumnKind.timestamp2:
      return 4 + fractionBytes(meta);
    case ColumnKind.datetime2:
      return 5 + fractionBytes(meta);
    case ColumnKind.time2:
      return 3 + fractionBytes(meta);
    case ColumnKind.newdecimal:
      return decimalSize(meta >> 8, meta & 0xff);
    case ColumnKind.bit:
      return (meta + 7) >> 3;
    case ColumnKind.enum:
    case ColumnKind.set:
      return meta;
    case ColumnKind.string:
    case ColumnKind.varchar:
    case ColumnKind.varString:
    case ColumnKind.compressedVarchar:
      return meta > 255 ? -2 : -1;
    case ColumnKind.blob:
    case ColumnKind.geometry:
    case ColumnKind.json:
    case ColumnKind.vector:
    case ColumnKind.compressedBlob:
      return meta >= 1 && meta <= 4 ? -meta : undefined;
    default:
      return undefined;
  }
}

/** Bytes of a fraction of so many digits. */
export function fractionBytes(digits: number): number {
  return (digits + 1) >> 1;
}

/** Whether values of a set are of more than one byte does not matter here: "text" is chosen by who knows the set. */
export function cellKindOf(sent: MappedColumn, { type, nativeType }: Column): CellKind | undefined {
  switch (sent.kind) {
    case ColumnKind.tiny:
      if (type.kind === "boolean") return CellKind.boolean;
      return intKind(type, 8, CellKind.int8);
    case ColumnKind.short:
      return intKind(type, 16, CellKind.int16);
    case ColumnKind.int24:
      return intKind(type, 24, CellKind.int24);
    case ColumnKind.long:
      return intKind(type, 32, CellKind.int32);
    case ColumnKind.longlong:
      return intKind(type, 64, CellKind.int64);
    case ColumnKind.year:
      return type.kind === "int" ? CellKind.year : undefined;
    case ColumnKind.float:
      return type.kind === "float" && type.bits === 32 ? CellKind.float : undefined;
    case ColumnKind.double:
      return type.kind === "float" && type.bits === 64 ? CellKind.double : undefined;
    case ColumnKind.newdecimal:
      return type.kind === "decimal" ? CellKind.decimal : undefined;
    case ColumnKind.bit:
      return type.kind === "bit" ? CellKind.bit : undefined;
    case ColumnKind.enum:
      return type.kind === "enum" ? CellKind.enum : undefined;
    case ColumnKind.set:
      return type.kind === "set" ? CellKind.set : undefined;
    case ColumnKind.json:
      return type.kind === "json" ? CellKind.json : undefined;
    case ColumnKind.geometry:
      return type.kind === "bytes" ? CellKind.geometry : undefined;
    case ColumnKind.string:
    case ColumnKind.varchar:
    case ColumnKind.varString:
    case ColumnKind.blob:
    case ColumnKind.vector:
      return stringKind(sent, type, nativeType);
    default:
      return temporalKind(sent, type);
  }
}

function intKind(type: Column["type"], bits: number, signed: CellKind): CellKind | undefined {
  if (type.kind !== "int" || type.bits !== bits) return undefined;
  return (type.unsigned ? signed + 1 : signed) as CellKind;
}

function stringKind(sent: MappedColumn, type: Column["type"], nativeType: string): CellKind | undefined {
  switch (type.kind) {
    case "string":
      if (/^inet4\b/i.test(nativeType)) return CellKind.inet4;
      return /^inet6\b/i.test(nativeType) ? CellKind.inet6 : CellKind.utf8;
    case "json":
    case "xml":
      return CellKind.utf8;
    case "bytes":
      return sent.kind === ColumnKind.string ? CellKind.fixedBytes : CellKind.bytes;
    case "uuid":
      return CellKind.uuid;
    default:
      return undefined;
  }
}

/** Fractions in the form that MariaDB had before 10.1 cannot be told from whole seconds: they are refused. */
function temporalKind({ kind, meta }: MappedColumn, type: Column["type"]): CellKind | undefined {
  const isWhole = type.kind === "timestamp" && type.precision === 0;
  switch (kind) {
    case ColumnKind.date:
    case ColumnKind.newdate:
      return type.kind === "date" ? CellKind.date : undefined;
    case ColumnKind.time2:
      return type.kind === "interval" || type.kind === "time" ? CellKind.time : undefined;
    case ColumnKind.time:
      return type.kind === "interval" || type.kind === "time" ? CellKind.oldTime : undefined;
    case ColumnKind.datetime2:
      return type.kind === "timestamp" && !type.zoned && type.precision === meta
        ? CellKind.datetime
        : undefined;
    case ColumnKind.timestamp2:
      return type.kind === "timestamp" && type.zoned && type.precision === meta
        ? CellKind.timestamp
        : undefined;
    case ColumnKind.datetime:
      return isWhole && !type.zoned ? CellKind.oldDatetime : undefined;
    case ColumnKind.timestamp:
      return isWhole && type.zoned ? CellKind.oldTimestamp : undefined;
    default:
      return undefined;
  }
}
