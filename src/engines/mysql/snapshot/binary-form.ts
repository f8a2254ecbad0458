import type { LogicalType } from "../../../core/schema.ts";
import type { ZeroDateRule } from "../values/zero-dates.ts";
import {
  EPOCH_DAY,
  NO_DAY,
  readDay,
  readMicros,
  readSecond,
  writeBitString,
  writeDay,
  writeFloat32,
  writeFloat64,
  writeInt16,
  writeInt32,
  writeInt64,
  writeInterval,
  writeMoment,
  writeNumeric,
  writeTimeOfDay,
  writeUuid,
} from "./binary-cells.ts";
import type { ReadColumn } from "./read-columns.ts";
import { GEOMETRY_HEAD, writeGeometryHeadBytes } from "./row-cells.ts";
import { NOT_IN_PIECES, type RowForm } from "./row-form.ts";

const Sent = {
  bytes: 0,
  geometry: 1,
  int2: 2,
  int4: 3,
  int8: 4,
  numeric: 5,
  float4: 6,
  float8: 7,
  boolean: 8,
  bits: 9,
  date: 10,
  timestamp: 11,
  interval: 12,
  time: 13,
  uuid: 14,
} as const;
type Sent = (typeof Sent)[keyof typeof Sent];

const LENGTH = 4;
const CELL_SLACK = 72;
const DATE_LENGTH = 10;
const TIME_LENGTH = 19;
const FIRST_BIT = 0x30;
/** Signature, flags, length of what else the header has (PostgreSQL manual, COPY, "Binary Format"). */
const HEAD = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const TAIL = Buffer.from([0xff, 0xff]);

/** Whether PostgreSQL's binary form of each of a table's columns is known here. */
export function hasBinaryForm(columns: readonly ReadColumn[]): boolean {
  return columns.every((column) => sentAs(column) !== undefined);
}

function sentAs({ type, nativeType }: ReadColumn): Sent | undefined {
  switch (type.kind) {
    case "int":
      return intAs(type);
    case "float":
      return type.bits === 32 ? Sent.float4 : Sent.float8;
    case "decimal":
      return Sent.numeric;
    case "boolean":
      return Sent.boolean;
    case "string":
    case "enum":
    case "json":
      return Sent.bytes;
    case "bytes":
      return bytesAs(nativeType);
    case "bit":
      return Sent.bits;
    case "date":
    case "timestamp":
    case "interval":
    case "time":
    case "uuid":
      return Sent[type.kind];
    default:
      return undefined;
  }
}

/** As the narrowest of PostgreSQL's types that holds all of the values. */
function intAs({ bits, unsigned }: Extract<LogicalType, { kind: "int" }>): Sent {
  const wanted = unsigned ? bits + 1 : bits;
  if (wanted <= 16) return Sent.int2;
  if (wanted <= 32) return Sent.int4;
  return wanted <= 64 ? Sent.int8 : Sent.numeric;
}

/** PostgreSQL has types called point and polygon, which are something else. */
function bytesAs(nativeType: string): Sent | undefined {
  if (/^(?:point|polygon)\b/i.test(nativeType)) return undefined;
  return /^(?:geometry|linestring|multi|geom)/i.test(nativeType) ? Sent.geometry : Sent.bytes;
}

/** Rows in COPY's binary format, which PostgreSQL reads with much less work than text. */
export class BinaryForm implements RowForm {
  readonly count: number;
  readonly slack: number;
  readonly head = HEAD;
  readonly tail = TAIL;
  readonly separator = -1;
  readonly terminator = -1;
  readonly isCounted = true;
  /** Of each column, a value of Sent. */
  readonly #sent: Uint8Array;
  readonly #lengths: Uint8Array;
  readonly #zeroDates: ZeroDateRule;

  constructor(columns: readonly ReadColumn[], zeroDates: ZeroDateRule) {
    this.count = columns.length;
    this.#sent = Uint8Array.from(columns, (column) => sentAs(column)!);
    this.#lengths = Uint8Array.from(columns, ({ length }) => length);
    this.#zeroDates = zeroDates;
    this.slack = CELL_SLACK * (columns.length + 1);
  }

  writeNull(target: Buffer, at: number): number {
    target[at] = 0xff;
    target[at + 1] = 0xff;
    target[at + 2] = 0xff;
    target[at + 3] = 0xff;
    return at + LENGTH;
  }

  write(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const sent = this.#sent[column];
    if (sent === Sent.bytes) {
      const end = target.writeInt32BE(to - from, at);
      if (to - from >= 48) return end + source.copy(target, end, from, to);
      for (let i = from; i < to; i++) target[end + i - from] = source[i]!;
      return end + to - from;
    }
    const start = at + LENGTH;
    const end =
      sent === Sent.date || sent === Sent.timestamp
        ? this.#moment(column, source, from, to, target, start)
        : this.#value(column, source, from, to, target, start);
    if (end === start) return this.writeNull(target, at);
    target.writeInt32BE(end - start, at);
    return end;
  }

  pieceHead(column: number): number {
    const sent = this.#sent[column];
    if (sent === Sent.bytes) return 0;
    return sent === Sent.geometry ? GEOMETRY_HEAD : NOT_IN_PIECES;
  }

  beginPieces(column: number, length: number, head: Buffer, target: Buffer, at: number): number {
    const start = at + LENGTH;
    if (this.#sent[column] === Sent.bytes) return target.writeInt32BE(length, at);
    const end = writeGeometryHeadBytes(head, 0, target, start);
    target.writeInt32BE(end - start + length - GEOMETRY_HEAD, at);
    return end;
  }

  writePiece(_column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    return at + source.copy(target, at, from, to);
  }

  #value(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    switch (this.#sent[column]) {
      case Sent.int2:
        return writeInt16(source, from, to, target, at);
      case Sent.int4:
        return writeInt32(source, from, to, target, at);
      case Sent.int8:
        return writeInt64(source, from, to, target, at);
      case Sent.numeric:
        return writeNumeric(source, from, to, target, at);
      case Sent.float4:
        return writeFloat32(source, from, to, target, at);
      case Sent.float8:
        return writeFloat64(source, from, to, target, at);
      case Sent.boolean:
        target[at] = to - from === 1 && source[from] === FIRST_BIT ? 0 : 1;
        return at + 1;
      case Sent.bits:
        return writeBitString(source, to, this.#lengths[column]!, target, at);
      case Sent.interval:
        return writeInterval(source, from, to, target, at);
      case Sent.time:
        return writeTimeOfDay(source, from, to, target, at);
      case Sent.uuid:
        return writeUuid(source, from, to, target, at);
      default:
        return this.#geometry(source, from, to, target, at);
    }
  }

  #geometry(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    if (to - from < GEOMETRY_HEAD) return at + source.copy(target, at, from, to);
    const end = writeGeometryHeadBytes(source, from, target, at);
    return end + source.copy(target, end, from + GEOMETRY_HEAD, to);
  }

  /** Nothing for a date that is to be NULL. */
  #moment(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const isDate = this.#sent[column] === Sent.date;
    const day = readDay(source, from);
    if (day === NO_DAY) {
      if (!this.#zeroDates.isEpoch(column)) return at;
      return isDate ? writeDay(EPOCH_DAY, target, at) : writeMoment(EPOCH_DAY, 0, 0, target, at);
    }
    if (isDate) return writeDay(day, target, at);
    const second = readSecond(source, from + DATE_LENGTH + 1);
    const micros = to - from > TIME_LENGTH ? readMicros(source, from + TIME_LENGTH + 1, to) : 0;
    return writeMoment(day, second, micros, target, at);
  }
}
