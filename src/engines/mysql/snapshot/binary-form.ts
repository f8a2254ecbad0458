import type { LogicalType } from "../../../core/schema.ts";
import type { ZeroDateRule } from "../values/zero-dates.ts";
import {
  EPOCH_DAY,
  NO_DAY,
  readDay,
  readMicros,
  readSecond,
  writeBitString,
  writeFloat32,
  writeFloat64,
  writeInt16,
  writeInt32,
  writeInt64,
  writeInterval,
  writeMoment,
  writeTimeOfDay,
  writeUuid,
} from "./binary-cells.ts";
import { writeNumeric } from "./binary-numeric.ts";
import { putInt32 } from "./binary-words.ts";
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
  jsonb: 15,
} as const;
type Sent = (typeof Sent)[keyof typeof Sent];

const LENGTH = 4;
const CELL_SLACK = 72;
const DATE_LENGTH = 10;
const TIME_LENGTH = 19;
const FIRST_BIT = 0x30;
/** jsonb_send: the version of its form, then the text. */
const JSONB_VERSION = 1;
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
      return Sent.bytes;
    case "json":
      return Sent.jsonb;
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

  /** The common kinds are told apart here: a call for each cell costs as much as a short cell. */
  write(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const start = at + LENGTH;
    let end: number;
    switch (this.#sent[column]) {
      case Sent.bytes:
        putInt32(to - from, target, at);
        return copyBytes(source, from, to, target, start);
      case Sent.int4:
        end = writeInt32(source, from, to, target, start);
        break;
      case Sent.int8:
        end = writeInt64(source, from, to, target, start);
        break;
      case Sent.numeric:
        end = writeNumeric(source, from, to, target, start);
        break;
      case Sent.date:
        end = this.#date(column, source, from, target, start);
        break;
      default:
        end = this.#value(column, source, from, to, target, start);
    }
    if (end === start) return this.writeNull(target, at);
    putInt32(end - start, target, at);
    return end;
  }

  pieceHead(column: number): number {
    const sent = this.#sent[column];
    if (sent === Sent.bytes || sent === Sent.jsonb) return 0;
    return sent === Sent.geometry ? GEOMETRY_HEAD : NOT_IN_PIECES;
  }

  beginPieces(column: number, length: number, head: Buffer, target: Buffer, at: number): number {
    const start = at + LENGTH;
    const sent = this.#sent[column];
    if (sent === Sent.bytes) return putInt32(length, target, at);
    if (sent === Sent.jsonb) {
      target[putInt32(1 + length, target, at)] = JSONB_VERSION;
      return start + 1;
    }
    const end = writeGeometryHeadBytes(head, 0, target, start);
    putInt32(end - start + length - GEOMETRY_HEAD, target, at);
    return end;
  }

  writePiece(_column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    return at + source.copy(target, at, from, to);
  }

  /** The kinds that write() does not know. Nothing is written for what is to be NULL. */
  #value(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    switch (this.#sent[column]) {
      case Sent.int2:
        return writeInt16(source, from, to, target, at);
      case Sent.timestamp:
        return this.#moment(column, source, from, to, target, at);
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
      case Sent.jsonb:
        target[at] = JSONB_VERSION;
        return copyBytes(source, from, to, target, at + 1);
      default:
        return this.#geometry(source, from, to, target, at);
    }
  }

  #geometry(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    if (to - from < GEOMETRY_HEAD) return at + source.copy(target, at, from, to);
    const end = writeGeometryHeadBytes(source, from, target, at);
    return end + source.copy(target, end, from + GEOMETRY_HEAD, to);
  }

  #date(column: number, source: Buffer, from: number, target: Buffer, at: number): number {
    const day = readDay(source, from);
    if (day !== NO_DAY) return putInt32(day, target, at);
    return this.#zeroDates.isEpoch(column) ? putInt32(EPOCH_DAY, target, at) : at;
  }

  #moment(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const day = readDay(source, from);
    if (day === NO_DAY)
      return this.#zeroDates.isEpoch(column) ? writeMoment(EPOCH_DAY, 0, 0, target, at) : at;
    const second = readSecond(source, from + DATE_LENGTH + 1);
    const micros = to - from > TIME_LENGTH ? readMicros(source, from + TIME_LENGTH + 1, to) : 0;
    return writeMoment(day, second, micros, target, at);
  }
}

/** A cell that is shorter is copied faster by a loop than by a call. */
const LONG_CELL = 48;

function copyBytes(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  if (to - from >= LONG_CELL) return at + source.copy(target, at, from, to);
  let end = at;
  for (let i = from; i < to; i++) target[end++] = source[i]!;
  return end;
}
