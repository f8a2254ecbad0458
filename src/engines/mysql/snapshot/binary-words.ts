/*
 * Whole numbers out of digits and into bytes, the highest first. Both are done for every cell, so each is as short as
 * the processor's own integers make it: what Buffer's methods check takes longer than the writing.
 */

const MINUS = 0x2d;
const ZERO = 0x30;

/** A whole number of up to 15 digits. */
export function readDigits(source: Buffer, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + source[i]! - ZERO;
  return value;
}

/** A whole number with or without a sign, modulo 2^32. */
export function readInt(source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === MINUS;
  let value = 0;
  for (let i = isNegative ? from + 1 : from; i < to; i++) value = (value * 10 + source[i]! - ZERO) | 0;
  return isNegative ? -value | 0 : value;
}

/** The low 16 bits of a number; returns where the next byte goes. */
export function putInt16(value: number, target: Buffer, at: number): number {
  target[at] = value >> 8;
  target[at + 1] = value;
  return at + 2;
}

/** The low 32 bits of a number; returns where the next byte goes. */
export function putInt32(value: number, target: Buffer, at: number): number {
  target[at] = value >> 24;
  target[at + 1] = value >> 16;
  target[at + 2] = value >> 8;
  target[at + 3] = value;
  return at + 4;
}
