import { type EventCursor, malformed } from "./binlog-bytes.ts";

/** Types of a column in the log (MySQL's enum_field_types; MariaDB's of 140 and 141 are its own). */
export const ColumnKind = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  compressedBlob: 140,
  compressedVarchar: 141,
  vector: 242,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/** What TABLE_MAP says of a table before its rows. */
export interface TableMap {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly MappedColumn[];
}

export interface MappedColumn {
  /** One of ColumnKind; enum and set also where the log calls them a string. */
  readonly kind: number;
  /**
   * What the kind needs: bytes of the length before the value, or its greatest length; bytes of an enum or set; digits
   * of a fraction; bits; precision * 256 + scale of a decimal.
   */
  readonly meta: number;
  /** The following only where the server writes it (binlog_row_metadata). */
  readonly name?: string | undefined;
  readonly unsigned?: boolean | undefined;
  /** Number of the collation. */
  readonly collation?: number | undefined;
  /** Labels in their own character set. */
  readonly labels?: readonly Buffer[] | undefined;
}

/** Kinds of optional metadata. */
const Field = {
  signedness: 1,
  defaultCharset: 2,
  columnCharset: 3,
  columnName: 4,
  setValues: 5,
  enumValues: 6,
  enumDefaultCharset: 10,
  enumColumnCharset: 11,
} as const;

/** An event without rows that ends a statement has this table's number. */
export const NO_TABLE = 0xffffff;

export const UNNAMED_TABLE = "rows of a table that has not been named";

/** Reads the beginning of the event from behind its table's number. */
export function readTableName(cursor: EventCursor): readonly [schema: string, name: string] {
  cursor.advance(2);
  const schema = cursor.text(cursor.byte());
  cursor.advance(1);
  const name = cursor.text(cursor.byte());
  cursor.advance(1);
  return [schema, name];
}

/** Reads the event from behind its table's number. */
export function readTableMap(cursor: EventCursor): TableMap {
  const [schema, name] = readTableName(cursor);
  const count = cursor.packed();
  const kinds = cursor.slice(count);
  const metaEnd = cursor.packed() + cursor.at;
  const columns = Array.from(kinds, (kind) => readMeta(cursor, kind));
  if (cursor.at !== metaEnd) throw malformed("a table's column types of another length");
  cursor.advance((count + 7) >> 3);
  return { schema, name, columns: withMetadata(cursor, columns) };
}

function readMeta(cursor: EventCursor, kind: number): { kind: number; meta: number } {
  switch (kind) {
    case ColumnKind.float:
    case ColumnKind.double:
    case ColumnKind.blob:
    case ColumnKind.geometry:
    case ColumnKind.json:
    case ColumnKind.vector:
    case ColumnKind.timestamp2:
    case ColumnKind.datetime2:
    case ColumnKind.time2:
    case ColumnKind.compressedBlob:
      return { kind, meta: cursor.byte() };
    case ColumnKind.varchar:
    case ColumnKind.varString:
    case ColumnKind.compressedVarchar:
      return { kind, meta: cursor.uint16() };
    case ColumnKind.bit: {
      const bits = cursor.byte();
      return { kind, meta: cursor.byte() * 8 + bits };
    }
    case ColumnKind.newdecimal: {
      const precision = cursor.byte();
      return { kind, meta: precision * 256 + cursor.byte() };
    }
    case ColumnKind.string:
    case ColumnKind.enum:
    case ColumnKind.set:
      return readStringMeta(cursor);
    default:
      return { kind, meta: 0 };
  }
}

/** A length of up to 1023 bytes shares the first byte with the true type: its upper bits are there, inverted. */
function readStringMeta(cursor: EventCursor): { kind: number; meta: number } {
  const type = cursor.byte();
  const length = cursor.byte();
  if (type === ColumnKind.enum || type === ColumnKind.set) return { kind: type, meta: length };
  return { kind: ColumnKind.string, meta: (((type & 0x30) ^ 0x30) << 4) | length };
}

/** What of the optional metadata matters. */
interface Metadata {
  unsigned?: Buffer;
  names?: readonly string[];
  charsets?: (index: number) => number | undefined;
  enumCharsets?: (index: number) => number | undefined;
  enumLabels?: readonly (readonly Buffer[])[];
  setLabels?: readonly (readonly Buffer[])[];
}

function withMetadata(cursor: EventCursor, columns: readonly MappedColumn[]): readonly MappedColumn[] {
  if (cursor.left === 0) return columns;
  const end = cursor.end;
  const found: Metadata = {};
  while (cursor.at < end) {
    const field = cursor.byte();
    const length = cursor.packed();
    cursor.need(length);
    cursor.end = cursor.at + length;
    readField(cursor, field, found);
    cursor.at = cursor.end;
    cursor.end = end;
  }
  // Each list counts only the columns that it is about.
  const next = { number: 0, character: 0, enum: 0, set: 0, labelled: 0 };
  return columns.map((column, i) => {
    const { kind } = column;
    const isEnum = kind === ColumnKind.enum;
    const isLabelled = isEnum || kind === ColumnKind.set;
    const number = isNumber(kind) ? next.number++ : -1;
    const labels = isEnum ? found.enumLabels?.[next.enum++] : isLabelled ? found.setLabels?.[next.set++] : [];
    const collation = isLabelled
      ? found.enumCharsets?.(next.labelled++)
      : isCharacter(kind)
        ? found.charsets?.(next.character++)
        : undefined;
    return {
      ...column,
      name: found.names?.[i],
      unsigned: number < 0 || found.unsigned === undefined ? undefined : bitAt(found.unsigned, number),
      collation,
      labels: isLabelled ? labels : undefined,
    };
  });
}

function readField(cursor: EventCursor, field: number, into: Metadata): void {
  switch (field) {
    case Field.signedness:
      into.unsigned = Buffer.from(cursor.slice(cursor.left));
      break;
    case Field.columnName:
      into.names = readAll(cursor, () => cursor.text(cursor.packed()));
      break;
    case Field.defaultCharset:
      into.charsets = readDefault(cursor);
      break;
    case Field.enumDefaultCharset:
      into.enumCharsets = readDefault(cursor);
      break;
    case Field.columnCharset: {
      const list = readAll(cursor, () => cursor.packed());
      into.charsets = (index) => list[index];
      break;
    }
    case Field.enumColumnCharset: {
      const list = readAll(cursor, () => cursor.packed());
      into.enumCharsets = (index) => list[index];
      break;
    }
    case Field.enumValues:
      into.enumLabels = readAll(cursor, () => readLabels(cursor));
      break;
    case Field.setValues:
      into.setLabels = readAll(cursor, () => readLabels(cursor));
      break;
  }
}

/** One collation for all, and pairs of those that have another. */
function readDefault(cursor: EventCursor): (index: number) => number {
  const usual = cursor.packed();
  const others = new Map(readAll(cursor, () => [cursor.packed(), cursor.packed()] as const));
  return (index) => others.get(index) ?? usual;
}

function readLabels(cursor: EventCursor): readonly Buffer[] {
  return Array.from({ length: cursor.packed() }, () => Buffer.from(cursor.slice(cursor.packed())));
}

function readAll<Value>(cursor: EventCursor, read: () => Value): readonly Value[] {
  const all: Value[] = [];
  while (cursor.left > 0) all.push(read());
  return all;
}

function bitAt(bits: Buffer, index: number): boolean {
  return (bits[index >> 3]! & (0x80 >> (index & 7))) !== 0;
}

function isNumber(kind: number): boolean {
  switch (kind) {
    case ColumnKind.tiny:
    case ColumnKind.short:
    case ColumnKind.int24:
    case ColumnKind.long:
    case ColumnKind.longlong:
    case ColumnKind.float:
    case ColumnKind.double:
    case ColumnKind.decimal:
    case ColumnKind.newdecimal:
    case ColumnKind.year:
      return true;
    default:
      return false;
  }
}

function isCharacter(kind: number): boolean {
  switch (kind) {
    case ColumnKind.string:
    case ColumnKind.varString:
    case ColumnKind.varchar:
    case ColumnKind.blob:
    case ColumnKind.compressedBlob:
    case ColumnKind.compressedVarchar:
      return true;
    default:
      return false;
  }
}
