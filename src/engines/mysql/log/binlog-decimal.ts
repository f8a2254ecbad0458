import { writePadded, writeUnsigned } from "./binlog-digits.ts";

/*
 * DECIMAL as MySQL packs it (source documentation, "decimal2bin"): groups of nine digits in four bytes from the point
 * outwards, what is left over in as few bytes as hold it, all of it big-endian. The first bit is set for a number that
 * is not negative; all bits of a negative one are inverted.
 */

const BYTES_OF = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Bytes of a packed decimal. */
export function decimalSize(precision: number, scale: number): number {
  const whole = precision - scale;
  const wholeBytes = Math.trunc(whole / 9) * 4 + BYTES_OF[whole % 9]!;
  return wholeBytes + Math.trunc(scale / 9) * 4 + BYTES_OF[scale % 9]!;
}

/** Writes the number that is packed at `from`, with all digits of its scale. At most precision + 3 bytes. */
export function writeDecimal(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  from: number,
  precision: number,
  scale: number,
): number {
  const isNegative = (bytes[from]! & 0x80) === 0;
  const mask = isNegative ? 0xff : 0;
  // The sign's bit is turned so that it does not count as a digit.
  let turned = 0x80;
  let to = at;
  if (isNegative) out[to++] = MINUS;
  let next = from;
  let isZero = true;
  let digits = (precision - scale) % 9;
  for (let left = precision - scale; left > 0; digits = 9) {
    if (digits === 0) digits = 9;
    let value = 0;
    for (let i = BYTES_OF[digits]!; i > 0; i--) {
      value = value * 256 + (bytes[next++]! ^ mask ^ turned);
      turned = 0;
    }
    left -= digits;
    if (!isZero) to = writePadded(out, to, value, digits);
    else if (value > 0) to = writeUnsigned(out, to, value);
    isZero &&= value === 0;
  }
  if (isZero) out[to++] = ZERO;
  if (scale === 0) return to;
  out[to++] = POINT;
  for (let left = scale; left > 0; left -= digits) {
    digits = Math.min(9, left);
    let value = 0;
    for (let i = BYTES_OF[digits]!; i > 0; i--) {
      value = value * 256 + (bytes[next++]! ^ mask ^ turned);
      turned = 0;
    }
    to = writePadded(out, to, value, digits);
  }
  return to;
}
