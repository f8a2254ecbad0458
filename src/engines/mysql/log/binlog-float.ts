import { writeAscii, writeSigned } from "./binlog-digits.ts";

/** FLOAT of so many digits is often told from all others, and of this many always. */
const FEWEST_DIGITS = 6;
const ENOUGH_DIGITS = 9;

/** The shortest text that reads back as the same number; at most 25 bytes. */
export function writeFloat64(out: Uint8Array, at: number, value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && value !== 0) return writeSigned(out, at, value);
  return writeAscii(out, at, Object.is(value, -0) ? "-0" : String(value));
}

/** The same for a number of 32 bits. */
export function writeFloat32(out: Uint8Array, at: number, value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1e6 && value !== 0) return writeSigned(out, at, value);
  return writeAscii(out, at, float32Text(value));
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
