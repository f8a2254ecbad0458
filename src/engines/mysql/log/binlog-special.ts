import type { CellBuffer } from "../values/cell-buffer.ts";
import { writeHex, writeUnsigned } from "./binlog-digits.ts";

const BACKSLASH = 0x5c;
const LOWER_X = 0x78;
const MINUS = 0x2d;
const POINT = 0x2e;
/** A reference system's number, the byte order and the kind. */
const GEOMETRY_HEAD = 9;
/** Of PostGIS's kind of geometry: a reference system's number follows. */
const HAS_REFERENCE = 0x20000000;
const ADDRESS_LENGTH = 16;
const MAX_ADDRESS_TEXT = 45;
const head = Buffer.alloc(GEOMETRY_HEAD);

/**
 * The server puts the number of the reference system before a geometry in WKB, PostGIS behind the kind, which then has a
 * bit set; it leaves out zero.
 */
export function writeGeometry(out: CellBuffer, bytes: Buffer, from: number, end: number): void {
  out.need(2 * (end - from) + 2);
  const to = out.bytes;
  to[out.at] = BACKSLASH;
  to[out.at + 1] = LOWER_X;
  out.at += 2;
  const reference = end - from < GEOMETRY_HEAD ? 0 : bytes.readUInt32LE(from);
  if (reference === 0) {
    out.at = writeHex(to, out.at, bytes, Math.min(end, from + 4), end);
    return;
  }
  const isLittle = bytes[from + 4] === 1;
  head[0] = bytes[from + 4]!;
  if (isLittle) {
    head.writeUInt32LE((bytes.readUInt32LE(from + 5) | HAS_REFERENCE) >>> 0, 1);
    head.writeUInt32LE(reference, 5);
  } else {
    head.writeUInt32BE((bytes.readUInt32BE(from + 5) | HAS_REFERENCE) >>> 0, 1);
    head.writeUInt32BE(reference, 5);
  }
  out.at = writeHex(to, out.at, head, 0, GEOMETRY_HEAD);
  out.at = writeHex(to, out.at, bytes, from + GEOMETRY_HEAD, end);
}

/**
 * MariaDB keeps a UUID of versions 1 to 5 with its parts in reverse order, so that those of one time follow each other;
 * what has its version and variant at the turned places is one. Zeros at the end are left out.
 */
export function writeUuid(out: CellBuffer, bytes: Buffer, from: number, end: number): void {
  const value = padded(bytes, from, end);
  // The parts as they are kept: 6 bytes of the node, 2 of the clock, then the time from high to low.
  const isTurned = (value[6]! & 0x80) !== 0 && value[8]! > 0 && value[8]! < 0x60;
  const turned = isTurned
    ? Buffer.concat([
        value.subarray(12),
        value.subarray(10, 12),
        value.subarray(8, 10),
        value.subarray(6, 8),
        value.subarray(0, 6),
      ])
    : value;
  out.need(36);
  const to = out.bytes;
  let at = out.at;
  let part = 0;
  for (const length of [4, 2, 2, 2, 6]) {
    if (part > 0) to[at++] = MINUS;
    at = writeHex(to, at, turned, part, part + length);
    part += length;
  }
  out.at = at;
}

export function writeInet4(out: CellBuffer, bytes: Buffer, from: number, end: number): void {
  out.need(16);
  for (let i = 0; i < 4; i++) {
    if (i > 0) out.bytes[out.at++] = POINT;
    out.at = writeUnsigned(out.bytes, out.at, from + i < end ? bytes[from + i]! : 0);
  }
}

/** As the server shows it: the first longest run of zero groups is left out, IPv4 within is in its own form. */
export function writeInet6(out: CellBuffer, bytes: Buffer, from: number, end: number): void {
  const value = padded(bytes, from, end);
  out.need(MAX_ADDRESS_TEXT);
  out.ascii(inet6Text(value));
}

function inet6Text(value: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => value.readUInt16BE(2 * i));
  const run = longestZeros(groups);
  const isMapped = run.start === 0 && (run.length === 6 || (run.length === 5 && groups[5] === 0xffff));
  if (isMapped) {
    const inner = [...value.subarray(12)].join(".");
    return run.length === 6 ? `::${inner}` : `::ffff:${inner}`;
  }
  const hex = groups.map((group) => group.toString(16));
  if (run.length === 0) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: -1, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  return best;
}

function padded(bytes: Buffer, from: number, end: number): Buffer {
  const value = Buffer.alloc(ADDRESS_LENGTH);
  bytes.copy(value, 0, from, end);
  return value;
}
