/*
 * Numbers as decimal digits in bytes. Each function writes at `at` and returns where it ended; whoever calls has made
 * room. No function makes an object, as they are called for every cell.
 */

const ZERO = 0x30;
const MINUS = 0x2d;
const TWO_32 = 4_294_967_296;

/** An unsigned number below 2^53. */
export function writeUnsigned(out: Uint8Array, at: number, value: number): number {
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9);
    return writePadded(out, writeUnsigned(out, at, high), value - high * 1e9, 9);
  }
  return writePadded(out, at, value, digitsOf(value));
}

/** A number of at most 53 bits with its sign. */
export function writeSigned(out: Uint8Array, at: number, value: number): number {
  if (value >= 0) return writeUnsigned(out, at, value);
  out[at] = MINUS;
  return writeUnsigned(out, at + 1, -value);
}

/** The unsigned number of 64 bits that has these halves. */
export function writeUnsigned64(out: Uint8Array, at: number, high: number, low: number): number {
  if (high < 1 << 21) return writeUnsigned(out, at, high * TWO_32 + low);
  // Divided by 10^9 in two steps, each of which stays below 2^53.
  const first = Math.floor(high / 1e9);
  const middle = ((high % 1e9) * 65_536 + (low >>> 16)) % 1e9;
  const q1 = Math.floor(((high % 1e9) * 65_536 + (low >>> 16)) / 1e9);
  const rest = middle * 65_536 + (low & 0xffff);
  const q0 = Math.floor(rest / 1e9);
  const quotient = first * TWO_32 + q1 * 65_536 + q0;
  return writePadded(out, writeUnsigned(out, at, quotient), rest % 1e9, 9);
}

/** The signed number of 64 bits that has these halves, both unsigned. */
export function writeSigned64(out: Uint8Array, at: number, high: number, low: number): number {
  if (high < 0x80000000) return writeUnsigned64(out, at, high, low);
  out[at] = MINUS;
  const negated = low === 0 ? 0 : TWO_32 - low;
  const carry = low === 0 ? 0 : 1;
  return writeUnsigned64(out, at + 1, TWO_32 - high - carry, negated);
}

/** Exactly `count` digits, at most 9. */
export function writePadded(out: Uint8Array, at: number, value: number, count: number): number {
  let rest = value | 0;
  let i = at + count;
  while (i - at >= 2) {
    const next = (rest / 100) | 0;
    i = writeTwo(out, i - 2, rest - next * 100) - 2;
    rest = next;
  }
  if (i > at) out[at] = ZERO + rest;
  return at + count;
}

/** Two digits of a number below 100. */
export function writeTwo(out: Uint8Array, at: number, value: number): number {
  // value / 10 for such numbers
  const tens = (value * 103) >> 10;
  out[at] = ZERO + tens;
  out[at + 1] = ZERO + value - 10 * tens;
  return at + 2;
}

/** A fraction of `count` digits behind its point, without the zeros at its end; nothing for 0. */
export function writeFraction(out: Uint8Array, at: number, value: number, count: number): number {
  if (value === 0) return at;
  out[at] = 0x2e;
  let end = writePadded(out, at + 1, value, count);
  while (out[end - 1] === ZERO) end--;
  return end;
}

/** ASCII text. */
export function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** The hexadecimal digits of bytes [from, end). */
export function writeHex(out: Uint8Array, at: number, bytes: Uint8Array, from: number, end: number): number {
  let to = at;
  for (let i = from; i < end; i++) {
    const byte = bytes[i]!;
    out[to++] = HEX[byte >> 4]!;
    out[to++] = HEX[byte & 15]!;
  }
  return to;
}

const HEX = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/** Of a number below 10^9. */
function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1e6) return 6;
  if (value < 1e7) return 7;
  return value < 1e8 ? 8 : 9;
}
