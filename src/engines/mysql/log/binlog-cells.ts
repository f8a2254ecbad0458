import { writeText } from "../values/binlog-charset.ts";
import type { CellBuffer } from "../values/cell-buffer.ts";
import { int32At, malformed, uint16At, uint24At, uint32At } from "./binlog-bytes.ts";
import { CellKind, fractionBytes } from "./binlog-cell-kind.ts";
import { writeDecimal } from "./binlog-decimal.ts";
import {
  writeAscii,
  writeHex,
  writeSigned,
  writeSigned64,
  writeUnsigned,
  writeUnsigned64,
} from "./binlog-digits.ts";
import { writeFloat32, writeFloat64 } from "./binlog-float.ts";
import { writeJson } from "./binlog-json.ts";
import type { RowPlan } from "./binlog-row-plan.ts";
import { writeGeometry, writeInet4, writeInet6, writeUuid } from "./binlog-special.ts";
import {
  isDate,
  writeBc,
  writeDate,
  writeDuration,
  writeMoment,
  writeShownDate,
  writeTimeOfDay,
} from "./binlog-temporal.ts";

/** The most that a value without a length takes: 65 digits, a sign and a point, or 64 bits. */
export const CELL_ROOM = 72;

const ZERO = 0x30;
const MINUS = 0x2d;
const SPACE = 0x20;
const ZERO_MOMENT = "0000-00-00 00:00:00+00";
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const LOWER_X = 0x78;

/**
 * Writes values of the log as cells. `at` is where a value stands in the event; each function returns where it ends
 * there. Room for values without a length is made by whoever calls, a row at a time.
 */
export class CellReader {
  /** The last value was a date that no calendar has, and counts as NULL. */
  isNone = false;
  /** So many dates that no calendar has were read. */
  zeroDates = 0;
  readonly #out: CellBuffer;

  constructor(out: CellBuffer) {
    this.#out = out;
  }

  /** Writes the value of the plan's i-th column. */
  read(plan: RowPlan, i: number, bytes: Buffer, at: number): number {
    const size = plan.sizes[i]!;
    if (size < 0) return this.#sized(plan, i, bytes, at);
    const out = this.#out;
    const to = out.bytes;
    switch (plan.kinds[i]) {
      case CellKind.int8:
        out.at = writeSigned(to, out.at, (bytes[at]! << 24) >> 24);
        break;
      case CellKind.uint8:
        out.at = writeUnsigned(to, out.at, bytes[at]!);
        break;
      case CellKind.int16:
        out.at = writeSigned(to, out.at, (uint16At(bytes, at) << 16) >> 16);
        break;
      case CellKind.uint16:
        out.at = writeUnsigned(to, out.at, uint16At(bytes, at));
        break;
      case CellKind.int24:
        out.at = writeSigned(to, out.at, (uint24At(bytes, at) << 8) >> 8);
        break;
      case CellKind.uint24:
        out.at = writeUnsigned(to, out.at, uint24At(bytes, at));
        break;
      case CellKind.int32:
        out.at = writeSigned(to, out.at, int32At(bytes, at));
        break;
      case CellKind.uint32:
        out.at = writeUnsigned(to, out.at, uint32At(bytes, at));
        break;
      case CellKind.int64:
        out.at = writeSigned64(to, out.at, uint32At(bytes, at + 4), uint32At(bytes, at));
        break;
      case CellKind.uint64:
        out.at = writeUnsigned64(to, out.at, uint32At(bytes, at + 4), uint32At(bytes, at));
        break;
      case CellKind.float:
        out.at = writeFloat32(to, out.at, bytes.readFloatLE(at));
        break;
      case CellKind.double:
        out.at = writeFloat64(to, out.at, bytes.readDoubleLE(at));
        break;
      case CellKind.decimal:
        out.at = writeDecimal(to, out.at, bytes, at, plan.metas[i]! >> 8, plan.metas[i]! & 0xff);
        break;
      case CellKind.year:
        out.at = writeUnsigned(to, out.at, bytes[at]! === 0 ? 0 : 1900 + bytes[at]!);
        break;
      case CellKind.boolean:
        to[out.at++] = bytes[at] === 0 ? 0x66 : 0x74;
        break;
      case CellKind.bit:
        this.#bits(plan.metas[i]!, bytes, at + size);
        break;
      case CellKind.enum:
        this.#enum(plan, i, bytes, at);
        break;
      case CellKind.set:
        this.#set(plan, i, bytes, at);
        break;
      default:
        this.#temporal(plan, i, bytes, at);
    }
    return at + size;
  }

  #sized(plan: RowPlan, i: number, bytes: Buffer, at: number): number {
    const length = lengthAt(bytes, at, plan.sizes[i]!);
    const from = at - plan.sizes[i]!;
    const end = from + length;
    if (end > bytes.length) throw malformed("a value beyond its event");
    const out = this.#out;
    // What comes after it in the row was promised its room.
    out.need(2 * length + plan.room + CELL_ROOM);
    switch (plan.kinds[i]) {
      case CellKind.utf8:
        out.copy(bytes, from, end);
        return end;
      case CellKind.text:
        writeText(out, plan.charsets[i]!, bytes, from, end);
        break;
      case CellKind.bytes:
        this.#hex(bytes, from, end, 0);
        break;
      case CellKind.fixedBytes:
        this.#hex(bytes, from, end, plan.metas[i]! - length);
        break;
      case CellKind.geometry:
        writeGeometry(out, bytes, from, end);
        break;
      case CellKind.json:
        writeJson(out, bytes, from, end);
        break;
      case CellKind.uuid:
        writeUuid(out, bytes, from, end);
        break;
      case CellKind.inet4:
        writeInet4(out, bytes, from, end);
        break;
      default:
        writeInet6(out, bytes, from, end);
    }
    out.need(plan.room);
    return end;
  }

  /** `missing`: zeros at the end of a BINARY, which the log leaves out. */
  #hex(bytes: Buffer, from: number, end: number, missing: number): void {
    const out = this.#out;
    if (missing > 0) out.need(2 * (end - from + missing) + CELL_ROOM);
    const to = out.bytes;
    to[out.at] = BACKSLASH;
    to[out.at + 1] = LOWER_X;
    let at = writeHex(to, out.at + 2, bytes, from, end);
    for (let i = 2 * missing; i > 0; i--) to[at++] = ZERO;
    out.at = at;
  }

  #bits(length: number, bytes: Buffer, end: number): void {
    const out = this.#out;
    for (let i = length - 1; i >= 0; i--) {
      out.bytes[out.at++] = ZERO + ((bytes[end - 1 - (i >> 3)]! >> (i & 7)) & 1);
    }
  }

  /** 0 is the empty text that stands for a value that was none of the labels. */
  #enum(plan: RowPlan, i: number, bytes: Buffer, at: number): void {
    const index = plan.sizes[i] === 1 ? bytes[at]! : uint16At(bytes, at);
    if (index > 0) this.#label(plan, plan.labels[i]![index - 1]);
  }

  #set(plan: RowPlan, i: number, bytes: Buffer, at: number): void {
    const labels = plan.labels[i]!;
    const size = plan.sizes[i]!;
    let isFirst = true;
    for (let member = 0; member < 8 * size; member++) {
      if (((bytes[at + (member >> 3)]! >> (member & 7)) & 1) === 0) continue;
      if (!isFirst) this.#out.byte(COMMA);
      isFirst = false;
      this.#label(plan, labels[member]);
    }
  }

  #label(plan: RowPlan, label: Buffer | undefined): void {
    if (label === undefined) throw plan.changed("has other labels");
    this.#out.copy(label, 0, label.length);
    this.#out.need(plan.room + 1);
  }

  #temporal(plan: RowPlan, i: number, bytes: Buffer, at: number): void {
    switch (plan.kinds[i]) {
      case CellKind.date: {
        const packed = uint24At(bytes, at);
        this.#date(plan, i, packed >> 9, (packed >> 5) & 15, packed & 31);
        break;
      }
      case CellKind.datetime:
        this.#datetime(plan, i, bytes, at);
        break;
      case CellKind.timestamp:
        this.#timestamp(plan, i, bytes.readUInt32BE(at), fractionAt(bytes, at + 4, plan.metas[i]!));
        break;
      case CellKind.time:
        this.#time(bytes, at, plan.metas[i]!);
        break;
      case CellKind.oldTimestamp:
        this.#timestamp(plan, i, uint32At(bytes, at), 0);
        break;
      case CellKind.oldDatetime:
        this.#oldDatetime(plan, i, bytes, at);
        break;
      default:
        this.#oldTime((uint24At(bytes, at) << 8) >> 8);
    }
  }

  /** False for a date that no calendar has: something else stands in its place, or nothing. */
  #date(plan: RowPlan, i: number, year: number, month: number, day: number): boolean {
    const out = this.#out;
    if (plan.keepsDates[i] === 1) {
      out.at = writeShownDate(out.bytes, out.at, year, month, day);
      return true;
    }
    if (!isDate(year, month, day)) {
      this.#instead(plan, i);
      return false;
    }
    out.at = writeDate(out.bytes, out.at, year, month, day);
    if (plan.kinds[i] === CellKind.date) this.#era(plan, i, year);
    return true;
  }

  /** Five bytes, big-endian: a bit that is set, 17 of 13 * year + month, 5 of the day, 17 of the time. */
  #datetime(plan: RowPlan, i: number, bytes: Buffer, at: number): void {
    // The lowest bit of the day stands above the third byte's lower half.
    const upper = (((bytes[at]! & 0x7f) << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) >> 1;
    const lower = ((bytes[at + 2]! & 1) << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
    const months = upper >> 5;
    const year = Math.trunc(months / 13);
    if (!this.#date(plan, i, year, months % 13, upper & 31)) return;
    const seconds = (lower >> 12) * 3600 + ((lower >> 6) & 63) * 60 + (lower & 63);
    this.#clock(seconds, fractionAt(bytes, at + 5, plan.metas[i]!), fractionDigits(plan.metas[i]!));
    this.#era(plan, i, year);
  }

  #oldDatetime(plan: RowPlan, i: number, bytes: Buffer, at: number): void {
    const packed = uint32At(bytes, at + 4) * 4_294_967_296 + uint32At(bytes, at);
    const date = Math.floor(packed / 1e6);
    const time = packed - date * 1e6;
    const year = Math.floor(date / 10_000);
    if (!this.#date(plan, i, year, Math.trunc(date / 100) % 100, date % 100)) return;
    const seconds = Math.trunc(time / 10_000) * 3600 + (Math.trunc(time / 100) % 100) * 60 + (time % 100);
    this.#clock(seconds, 0, 0);
    this.#era(plan, i, year);
  }

  #clock(seconds: number, fraction: number, digits: number): void {
    const out = this.#out;
    out.bytes[out.at++] = SPACE;
    out.at = writeTimeOfDay(out.bytes, out.at, seconds, fraction, digits);
  }

  /** What stands behind the time of a year that is not what the text form calls it. */
  #era({ keepsDates }: RowPlan, i: number, year: number): void {
    if (year === 0 && keepsDates[i] === 0) this.#out.at = writeBc(this.#out.bytes, this.#out.at);
  }

  /** 0 is what stands for 0000-00-00 00:00:00. */
  #timestamp(plan: RowPlan, i: number, moment: number, fraction: number): void {
    const out = this.#out;
    if (moment === 0 && fraction === 0) {
      if (plan.keepsDates[i] === 0) this.#instead(plan, i);
      else out.at = writeAscii(out.bytes, out.at, ZERO_MOMENT);
    } else out.at = writeMoment(out.bytes, out.at, moment, fraction, fractionDigits(plan.metas[i]!));
  }

  /** Three bytes and a fraction, big-endian: as one number it is the time's plus a bit above all others. */
  #time(bytes: Buffer, at: number, digits: number): void {
    const out = this.#out;
    const count = fractionBytes(digits);
    let whole = ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) - 0x800000;
    let fraction = fractionAt(bytes, at + 3, digits);
    if (whole < 0) {
      out.bytes[out.at++] = MINUS;
      if (fraction > 0) {
        whole++;
        fraction = 256 ** count - fraction;
      }
      whole = -whole;
    }
    out.at = writeDuration(out.bytes, out.at, whole, fraction, fractionDigits(digits));
  }

  #oldTime(value: number): void {
    const out = this.#out;
    if (value < 0) out.bytes[out.at++] = MINUS;
    const time = Math.abs(value);
    const packed = (Math.trunc(time / 10_000) << 12) | ((Math.trunc(time / 100) % 100) << 6) | (time % 100);
    out.at = writeDuration(out.bytes, out.at, packed, 0, 0);
  }

  #instead(plan: RowPlan, i: number): void {
    const text = plan.insteadOfZero(i);
    this.zeroDates++;
    const out = this.#out;
    if (text === undefined) this.isNone = true;
    else out.at = writeAscii(out.bytes, out.at, text);
  }
}

/** Where the value that stands at `at` ends. */
export function cellEnd(size: number, bytes: Buffer, at: number): number {
  if (size >= 0) return at + size;
  return at - size + lengthAt(bytes, at, size);
}

/** `size`: minus the bytes of the length. */
function lengthAt(bytes: Buffer, at: number, size: number): number {
  if (size === -1) return bytes[at]!;
  if (size === -2) return uint16At(bytes, at);
  return size === -3 ? uint24At(bytes, at) : uint32At(bytes, at);
}

/** The number that the bytes of a fraction of so many digits hold: of an odd number of digits the last is 0. */
function fractionAt(bytes: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < fractionBytes(digits); i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function fractionDigits(digits: number): number {
  return 2 * fractionBytes(digits);
}
