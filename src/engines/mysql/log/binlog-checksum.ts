import { crc32 } from "node:zlib";
import type { Words } from "./binlog-bytes.ts";

/** Up to so many bytes reading them here costs less than a call into the runtime; most events are that small. */
const SMALL = 256;
/** Reflected polynomial of the CRC-32 that zlib computes. */
const POLYNOMIAL = 0xedb88320;
const STEP = 16;
const WORD = 4;

/** For byte b with k bytes behind it in a step: what it does to the sum, at 256 * k + b. */
const TABLES = makeTables();

/** Computes CRC-32 sums of ranges of a buffer, and of the next one. */
export class Checksum {
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  /** The sum of bytes [start, end) as a signed number: an unsigned one would be an object. */
  of(bytes: Buffer, start: number, end: number): number {
    if (end - start > SMALL) return crc32(bytes.subarray(start, end)) | 0;
    return sumOf(this.#words.of(bytes), start, end);
  }
}

/** Sixteen bytes at a time ("slicing"), as each step has to wait for the sum of the one before. */
function sumOf(view: DataView, start: number, end: number): number {
  const t = TABLES;
  let sum = -1;
  let at = start;
  for (const last = end - STEP; at <= last; at += STEP) {
    const a = view.getInt32(at, true) ^ sum;
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    sum =
      t[3840 + (a & 0xff)]! ^
      t[3584 + ((a >>> 8) & 0xff)]! ^
      t[3328 + ((a >>> 16) & 0xff)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 0xff)]! ^
      t[2560 + ((b >>> 8) & 0xff)]! ^
      t[2304 + ((b >>> 16) & 0xff)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 0xff)]! ^
      t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 0xff)]! ^
      t[512 + ((d >>> 8) & 0xff)]! ^
      t[256 + ((d >>> 16) & 0xff)]! ^
      t[d >>> 24]!;
  }
  for (const last = end - WORD; at <= last; at += WORD) {
    const a = view.getInt32(at, true) ^ sum;
    sum = t[768 + (a & 0xff)]! ^ t[512 + ((a >>> 8) & 0xff)]! ^ t[256 + ((a >>> 16) & 0xff)]! ^ t[a >>> 24]!;
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ t[(sum ^ view.getUint8(at)) & 0xff]!;
  return ~sum;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(256 * STEP);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) === 0 ? 0 : POLYNOMIAL);
    tables[byte] = sum;
  }
  for (let at = 256; at < tables.length; at++) {
    const sum = tables[at - 256]!;
    tables[at] = (sum >>> 8) ^ tables[sum & 0xff]!;
  }
  return tables;
}
