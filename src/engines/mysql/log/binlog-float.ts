import { writeAscii, writePadded, writeSigned, writeUnsigned } from "./binlog-digits.ts";

/** FLOAT of so many digits is often told from all others, and of this many always. */
const FEWEST_DIGITS = 6;
const ENOUGH_DIGITS = 9;

/** By places behind the point, up to the most of them that are tried without making a text. */
const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];
const FINEST = 1e6;
/** Below it no two texts read as one number of 64 bits: those have 15 digits. */
const LIMIT64 = 1e15;
/** Those of 32 bits have 6. Of 7 digits the one is written that is nearest, as float32Text() does. */
const LIMIT32 = 1e7;
const MINUS = 0x2d;
const POINT = 0x2e;

/** The shortest text that reads back as the same number; at most 25 bytes. */
export function writeFloat64(out: Uint8Array, at: number, value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && value !== 0) return writeSigned(out, at, value);
  const end = writePlaces(out, at, value, false);
  return end > at ? end : writeAscii(out, at, Object.is(value, -0) ? "-0" : String(value));
}

/** The same for a number of 32 bits. */
export function writeFloat32(out: Uint8Array, at: number, value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1e6 && value !== 0) return writeSigned(out, at, value);
  const end = writePlaces(out, at, value, true);
  return end > at ? end : writeAscii(out, at, float32Text(value));
}

/**
 * A number that is one of a few digits and places, as most are that people and programs write. A whole number divided
 * by a power of ten is what the text of both reads as, as both are exact. Returns `at` for any other number.
 */
function writePlaces(out: Uint8Array, at: number, value: number, isSingle: boolean): number {
  const size = Math.abs(value);
  // Most that need more places than are tried fail here.
  const finest = Math.round(size * FINEST);
  if (finest === 0 || finest >= LIMIT64 || !isRead(finest, FINEST, size, isSingle)) return at;
  const limit = isSingle ? LIMIT32 : LIMIT64;
  for (let places = 1; places < POWERS.length; places++) {
    const power = POWERS[places]!;
    const digits = Math.round(size * power);
    if (digits >= limit) return at;
    if (!isRead(digits, power, size, isSingle)) continue;
    let to = at;
    if (value < 0) out[to++] = MINUS;
    const whole = Math.floor(digits / power);
    to = writeUnsigned(out, to, whole);
    out[to++] = POINT;
    return writePadded(out, to, digits - whole * power, places);
  }
  return at;
}

function isRead(digits: number, power: number, size: number, isSingle: boolean): boolean {
  return (isSingle ? Math.fround(digits / power) : digits / power) === size;
}

function float32Text(value: number): string {
  if (Object.is(value, -0)) return "-0";
  // Near zero a number has fewer bits, and less than the usual digits tell it from others.
  const fewest = Math.abs(value) < 1.2e-38 ? 1 : FEWEST_DIGITS;
  for (let digits = fewest; digits < ENOUGH_DIGITS; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(Number(value.toPrecision(ENOUGH_DIGITS)));
}
