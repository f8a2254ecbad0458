import { NULL_CELL } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { LogicalType } from "../../../core/schema.ts";
import type { SqlText } from "./sql-text.ts";
import { writeTimestamp } from "./zone-text.ts";

/** How a cell in the shared text form (docs/decisions/021) becomes a literal of MySQL for one column. */
export const CellForm = {
  /** Quoted, whatever it says; what the column cannot hold is refused by the server in strict mode. */
  text: 0,
  /** Digits as they are. */
  number: 1,
  /** `t` or `f` as 1 or 0. */
  truth: 2,
  /** `t` or `f` as true or false, for a column of characters. */
  truthText: 3,
  /** `\x` and digits as `x'...'`. */
  bytes: 4,
  /** As bytes, which are EWKB: MySQL's own form is the SRID, then WKB without it. */
  geometry: 5,
  /** `0` and `1` as `b'...'`. */
  bits: 6,
  /** A timestamp or a time, whose offset is applied: the session's zone is UTC. */
  moment: 7,
  /** A float of 32 bits as the number that it is, for comparison with a column of such: 0.1 is none of them. */
  single: 8,
  /** A float of 32 bits as it is, but for the largest: its shortest text is above what the column takes. */
  shortest: 9,
  /** A year, where 0 is not 2000. */
  year: 10,
  /** As text without the spaces at its end, which fill up a value of fixed length and do not count on the source. */
  trimmed: 11,
} as const;
export type CellForm = (typeof CellForm)[keyof typeof CellForm];

/** What decides a column's form on the target's side. */
export interface TargetColumnType {
  /** DATA_TYPE of information_schema.columns: "int", "varchar", "datetime". */
  readonly dataType: string;
}

const NUMERIC = words("tinyint smallint mediumint int integer bigint decimal numeric float double real year");
const MOMENTS = words("datetime timestamp time");
const BINARY = words("binary varbinary tinyblob blob mediumblob longblob");
const GEOMETRY = words(
  "geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection geomcollection",
);

/**
 * The form of each column of a plan, by ordinal. `target` holds what the target's own catalog says of its
 * columns, by name; a column that is not there is taken for one of characters.
 */
export function compileCells(
  plan: TablePlan,
  target: ReadonlyMap<string, TargetColumnType> | undefined,
): Uint8Array {
  return Uint8Array.from(plan.source.columns, ({ type }, ordinal) => {
    const { name } = plan.target.columns[ordinal]!;
    return cellForm(type, target?.get(name)?.dataType.toLowerCase() ?? "text");
  });
}

/** The form in which a value of the source's type is written for a column of the target's. */
export function cellForm(type: LogicalType, dataType: string): CellForm {
  const isNumeric = NUMERIC.has(dataType) || dataType === "bit";
  switch (type.kind) {
    case "boolean":
      return isNumeric ? CellForm.truth : CellForm.truthText;
    case "int":
    case "decimal":
    case "float":
      if (dataType === "year") return CellForm.year;
      if (type.kind === "float" && type.bits === 32 && dataType === "float") return CellForm.shortest;
      return isNumeric ? CellForm.number : CellForm.text;
    case "string":
      // A column of fixed length leaves them out by itself.
      return type.fixed && dataType !== "char" ? CellForm.trimmed : CellForm.text;
    case "bytes":
      if (GEOMETRY.has(dataType)) return CellForm.geometry;
      return BINARY.has(dataType) ? CellForm.bytes : CellForm.text;
    case "bit":
      return isNumeric || BINARY.has(dataType) ? CellForm.bits : CellForm.text;
    case "time":
    case "timestamp":
      return MOMENTS.has(dataType) ? CellForm.moment : CellForm.text;
    default:
      return CellForm.text;
  }
}

/** What a literal adds to its cell at most, beside a second byte for each byte. */
const MOST_ADDED = 32;

const NULL = Buffer.from("null");
const TRUE = Buffer.from("'true'");
const FALSE = Buffer.from("'false'");
const SPACE = 0x20;
const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const SMALL_B = 0x62;
const SMALL_T = 0x74;
const SMALL_X = 0x78;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;

/**
 * Appends the literal of a cell: `start` and `end` as a change batch has them. The session's sql_mode has
 * no NO_BACKSLASH_ESCAPES, its character set is utf8mb4, in which no byte of a longer character is a quote.
 */
export function writeLiteral(
  out: SqlText,
  form: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  if (start === NULL_CELL) {
    out.append(NULL);
    return;
  }
  out.reserve(2 * (end - start) + MOST_ADDED);
  switch (form) {
    case CellForm.number:
      writeNumber(out, source, start, end);
      break;
    case CellForm.shortest:
      writeShortest(out, source, start, end);
      break;
    case CellForm.year:
      writeYear(out, source, start, end);
      break;
    case CellForm.truth:
      out.bytes[out.length++] = source[start] === SMALL_T ? ZERO + 1 : ZERO;
      break;
    case CellForm.truthText:
      out.append(source[start] === SMALL_T ? TRUE : FALSE);
      break;
    case CellForm.bytes:
      writeDigits(out, SMALL_X, source, start + 2, end);
      break;
    case CellForm.geometry:
      writeGeometry(out, source, start + 2, end);
      break;
    case CellForm.bits:
      writeDigits(out, SMALL_B, source, start, end);
      break;
    case CellForm.moment:
      writeTimestamp(out, source, start, end);
      break;
    case CellForm.single:
      writeSingle(out, source, start, end);
      break;
    case CellForm.trimmed:
      writeText(out, source, start, trimmedEnd(source, start, end));
      break;
    default:
      writeText(out, source, start, end);
  }
}

const LARGEST = Buffer.from("3.4028235e+38");
/** The same number in full. */
const LARGEST_EXACT = Buffer.from("3.4028234663852886e+38");

function writeShortest(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const first = source[start] === MINUS ? start + 1 : start;
  let same = end - first === LARGEST.length;
  for (let i = 0; same && i < LARGEST.length; i++) same = source[first + i] === LARGEST[i];
  if (!same) {
    writeNumber(out, source, start, end);
    return;
  }
  if (first > start) out.bytes[out.length++] = MINUS;
  out.append(LARGEST_EXACT);
}

const YEAR_DIGITS = 4;

/** Of four digits: fewer mean a year of this century or the one before. */
function writeYear(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = QUOTE;
  for (let i = end - start; i < YEAR_DIGITS; i++) bytes[at++] = ZERO;
  for (let i = start; i < end; i++) bytes[at++] = source[i]!;
  bytes[at++] = QUOTE;
  out.length = at;
}

/** Not a number and the infinite ones are no numbers here: quoted, so that the server refuses them. */
function writeNumber(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const first = source[start] === MINUS ? source[start + 1]! : source[start]!;
  if (first < ZERO || first > NINE) {
    writeText(out, source, start, end);
    return;
  }
  const { bytes } = out;
  let at = out.length;
  for (let i = start; i < end; i++) bytes[at++] = source[i]!;
  out.length = at;
}

/** Only where a float identifies a row, which is rare: this makes a number and its text. */
function writeSingle(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString("latin1");
  const single = Math.fround(Number(text));
  if (Number.isFinite(single)) out.append(Buffer.from(String(single)));
  else writeText(out, source, start, end);
}

/** Where a text ends without the spaces at its end. */
export function trimmedEnd(source: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && source[at - 1] === SPACE) at--;
  return at;
}

function writeText(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = QUOTE;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    if (byte === QUOTE || byte === BACKSLASH) bytes[at++] = byte;
    bytes[at++] = byte;
  }
  bytes[at++] = QUOTE;
  out.length = at;
}

/** Digits between `x'` or `b'` and a quote. */
function writeDigits(out: SqlText, mark: number, source: Uint8Array, start: number, end: number): void {
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = mark;
  bytes[at++] = QUOTE;
  for (let i = start; i < end; i++) bytes[at++] = source[i]!;
  bytes[at++] = QUOTE;
  out.length = at;
}

/** Hexadecimal digits of: byte order, type of geometry, SRID. */
const ORDER_DIGITS = 2;
const TYPE_DIGITS = 8;
const SRID_DIGITS = 8;
/** Where the type has its flags: in the highest byte, which comes last in little-endian order. */
const FLAGS_DIGIT = ORDER_DIGITS + TYPE_DIGITS - 2;
/** In the digit of the flags: an SRID follows. */
const HAS_SRID = 2;

/**
 * EWKB in little-endian order, as digits, in MySQL's own form: the SRID first, zero for none, and a type
 * without the flag. What is written in the other order is left to the server, which refuses it.
 */
function writeGeometry(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const isLittle = source[start + 1] === ZERO + 1;
  const flags = digit(source[start + FLAGS_DIGIT] ?? ZERO);
  const hasSrid = isLittle && (flags & HAS_SRID) !== 0;
  const type = start + ORDER_DIGITS;
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = SMALL_X;
  bytes[at++] = QUOTE;
  for (let i = 0; i < SRID_DIGITS; i++) bytes[at++] = hasSrid ? source[type + TYPE_DIGITS + i]! : ZERO;
  const rest = hasSrid ? type + TYPE_DIGITS + SRID_DIGITS : type + TYPE_DIGITS;
  for (let i = start; i < type + TYPE_DIGITS; i++) {
    bytes[at++] = hasSrid && i === start + FLAGS_DIGIT ? ZERO + (flags & ~HAS_SRID) : source[i]!;
  }
  for (let i = rest; i < end; i++) bytes[at++] = source[i]!;
  bytes[at++] = QUOTE;
  out.length = at;
}

/** Value of a hexadecimal digit in lower case. */
function digit(byte: number): number {
  return byte <= NINE ? byte - ZERO : byte - 0x57;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}
