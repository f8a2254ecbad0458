import type { CellBuffer } from "../values/cell-buffer.ts";
import { malformed } from "./binlog-bytes.ts";
import { writeDecimal } from "./binlog-decimal.ts";
import { writeSigned, writeSigned64, writeUnsigned64 } from "./binlog-digits.ts";
import { ColumnKind } from "./binlog-table-map.ts";

/*
 * MySQL's binary form of JSON (source documentation, "json_binary.h") as the text that the server shows. An object or an
 * array holds a count and its size, then where its keys and values lie, counted from its own begin, in two bytes each
 * or, when it is large, in four.
 */

export const JsonType = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const;

const LITERALS = ["null", "true", "false"];
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_NUMBER = 24;

/** Writes the document that is [start, end) of `bytes`. An empty one is null, as the server reads it. */
export function writeJson(out: CellBuffer, bytes: Buffer, start: number, end: number): void {
  if (start === end) {
    out.ascii("null");
    return;
  }
  writeValue(out, bytes.subarray(start, end), bytes[start]!, 1);
}

/** A value that lies at `at`; small ones that stand in the entry itself are read by writeEntry. */
function writeValue(out: CellBuffer, bytes: Buffer, type: number, at: number): void {
  if (at >= bytes.length && type !== JsonType.opaque) throw malformed("a JSON value beyond its document");
  switch (type) {
    case JsonType.smallObject:
    case JsonType.largeObject:
      writeContainer(out, bytes, at, { isObject: true, width: type === JsonType.largeObject ? 4 : 2 });
      break;
    case JsonType.smallArray:
    case JsonType.largeArray:
      writeContainer(out, bytes, at, { isObject: false, width: type === JsonType.largeArray ? 4 : 2 });
      break;
    case JsonType.string: {
      const [length, from] = jsonLength(bytes, at);
      writeString(out, bytes, from, from + length);
      break;
    }
    case JsonType.opaque:
      writeOpaque(out, bytes, at);
      break;
    default:
      writeScalar(out, bytes, type, at);
  }
}

function writeScalar(out: CellBuffer, bytes: Buffer, type: number, at: number): void {
  out.need(MAX_NUMBER);
  switch (type) {
    case JsonType.literal:
      out.ascii(LITERALS[bytes[at]!] ?? "null");
      break;
    case JsonType.int16:
      out.at = writeSigned(out.bytes, out.at, bytes.readInt16LE(at));
      break;
    case JsonType.uint16:
      out.at = writeSigned(out.bytes, out.at, bytes.readUInt16LE(at));
      break;
    case JsonType.int32:
      out.at = writeSigned(out.bytes, out.at, bytes.readInt32LE(at));
      break;
    case JsonType.uint32:
      out.at = writeSigned(out.bytes, out.at, bytes.readUInt32LE(at));
      break;
    case JsonType.int64:
      out.at = writeSigned64(out.bytes, out.at, bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at));
      break;
    case JsonType.uint64:
      out.at = writeUnsigned64(out.bytes, out.at, bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at));
      break;
    case JsonType.double:
      writeDouble(out, bytes.readDoubleLE(at));
      break;
    default:
      throw malformed("a JSON value of an unknown type");
  }
}

/** A whole number shows that it is a double. */
function writeDouble(out: CellBuffer, value: number): void {
  const text = Object.is(value, -0) ? "-0" : String(value);
  out.ascii(/[.e]/.test(text) ? text : `${text}.0`);
}

function writeContainer(
  out: CellBuffer,
  bytes: Buffer,
  at: number,
  { isObject, width }: { readonly isObject: boolean; readonly width: 2 | 4 },
): void {
  const read = (from: number): number =>
    width === 4 ? bytes.readUInt32LE(at + from) : bytes.readUInt16LE(at + from);
  const count = read(0);
  const keys = 2 * width;
  const values = keys + (isObject ? count * (width + 2) : 0);
  if (at + values + count * (1 + width) > bytes.length)
    throw malformed("a JSON container beyond its document");
  out.ascii(isObject ? "{" : "[");
  for (let i = 0; i < count; i++) {
    if (i > 0) out.ascii(", ");
    if (isObject) {
      const entry = keys + i * (width + 2);
      const from = at + read(entry);
      writeString(out, bytes, from, from + bytes.readUInt16LE(at + entry + width));
      out.ascii(": ");
    }
    const entry = values + i * (1 + width);
    const type = bytes[at + entry]!;
    if (inlinedIn(type, width)) writeScalar(out, bytes, type, at + entry + 1);
    else writeValue(out, bytes, type, at + read(entry + 1));
  }
  out.ascii(isObject ? "}" : "]");
}

export function isContainer(type: number): boolean {
  return type <= JsonType.largeArray;
}

/** A container whose places take four bytes. */
export function isWide(type: number): boolean {
  return type === JsonType.largeObject || type === JsonType.largeArray;
}

/** A small value stands where others have their place: how small depends on how large the container is. */
export function inlinedIn(type: number, width: 2 | 4): boolean {
  if (type === JsonType.literal || type === JsonType.int16 || type === JsonType.uint16) return true;
  return width === 4 && (type === JsonType.int32 || type === JsonType.uint32);
}

/** A length in groups of seven bits, the lowest first; returns where what it counts begins, too. */
export function jsonLength(bytes: Buffer, at: number): readonly [length: number, from: number] {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]!;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return [length, at + i + 1];
  }
  throw malformed("a JSON length that does not end");
}

function writeString(out: CellBuffer, bytes: Buffer, from: number, end: number): void {
  if (end > bytes.length) throw malformed("a JSON text beyond its document");
  out.byte(QUOTE);
  let plain = from;
  for (let i = from; i < end; i++) {
    const code = bytes[i]!;
    if (code >= 0x20 && code !== QUOTE && code !== BACKSLASH) continue;
    out.copy(bytes, plain, i);
    out.ascii(escapeOf(code));
    plain = i + 1;
  }
  out.copy(bytes, plain, end);
  out.byte(QUOTE);
}

const SHORT_ESCAPES = new Map([
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [QUOTE, '\\"'],
  [BACKSLASH, "\\\\"],
]);

function escapeOf(code: number): string {
  return SHORT_ESCAPES.get(code) ?? `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A value of SQL that JSON has no type for: its column type, its length, and the value as a column holds it. */
function writeOpaque(out: CellBuffer, bytes: Buffer, at: number): void {
  const type = bytes[at]!;
  const [length, from] = jsonLength(bytes, at + 1);
  if (from + length > bytes.length) throw malformed("a JSON value beyond its document");
  switch (type) {
    case ColumnKind.newdecimal: {
      const precision = bytes[from]!;
      out.need(precision + 4);
      out.at = writeDecimal(out.bytes, out.at, bytes, from + 2, precision, bytes[from + 1]!);
      break;
    }
    case ColumnKind.date:
    case ColumnKind.datetime:
    case ColumnKind.timestamp:
      out.ascii(`"${momentText(bytes.readBigInt64LE(from), type === ColumnKind.date)}"`);
      break;
    case ColumnKind.time:
      out.ascii(`"${timeText(bytes.readBigInt64LE(from))}"`);
      break;
    default:
      out.ascii(`"base64:type${type}:${bytes.toString("base64", from, from + length)}"`);
  }
}

/** 24 bits of microseconds below, then 6 + 6 + 5 bits of the time, 5 of the day, and 13 * year + month. */
function momentText(packed: bigint, isDate: boolean): string {
  const date = Number(packed >> 41n);
  const month = Math.trunc(date / 32);
  const text = `${padded(Math.trunc(month / 13), 4)}-${padded(month % 13, 2)}-${padded(date % 32, 2)}`;
  return isDate
    ? text
    : `${text} ${clockText(Number((packed >> 24n) & 0x1ffffn), Number(packed & 0xffffffn))}`;
}

function timeText(packed: bigint): string {
  const size = packed < 0n ? -packed : packed;
  return `${packed < 0n ? "-" : ""}${clockText(Number(size >> 24n), Number(size & 0xffffffn))}`;
}

function clockText(time: number, microseconds: number): string {
  const [hours, minutes, seconds] = [time >> 12, (time >> 6) & 63, time & 63];
  return `${padded(hours, 2)}:${padded(minutes, 2)}:${padded(seconds, 2)}.${padded(microseconds, 6)}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
