/*
 * Values as the server's text protocol sends them, written as PostgreSQL's types send theirs (their *send functions),
 * without the length in front. Each function takes bytes [from, to) of `source`, writes to `target` from `at` on, and
 * returns where it stopped. Nothing is allocated but for rare DOUBLEs.
 */

import { putInt16, putInt32, readDigits, readInt } from "./binary-words.ts";

const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const TWO_32 = 2 ** 32;
const MICROSECONDS = 1_000_000;
const SECONDS_A_DAY = 86_400;
/** So many digits are exact in a DOUBLE, whatever they are. */
const EXACT_DIGITS = 15;
const HALF_DIGITS = 9;
/** So many digits, or a sign and one less, make a number of 32 bits. */
const SMALL_DIGITS = 9;
const BILLION = 1_000_000_000;

export function writeInt16(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  return putInt16(readInt(source, from, to), target, at);
}

export function writeInt32(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  return putInt32(readInt(source, from, to), target, at);
}

export function writeInt64(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  if (to - from <= SMALL_DIGITS) {
    const value = readInt(source, from, to);
    return putInt32(value, target, putInt32(value >> 31, target, at));
  }
  const isNegative = source[from] === MINUS;
  const first = isNegative ? from + 1 : from;
  if (to - first <= EXACT_DIGITS) {
    const value = readDigits(source, first, to);
    return writeWhole(isNegative ? -value : value, target, at);
  }
  const upper = readDigits(source, first, to - HALF_DIGITS);
  const lower = readDigits(source, to - HALF_DIGITS, to);
  return isNegative
    ? writeProduct(-upper, BILLION, -lower, target, at)
    : writeProduct(upper, BILLION, lower, target, at);
}

/** A whole number that is exact in a DOUBLE, as eight bytes. */
function writeWhole(value: number, target: Buffer, at: number): number {
  const upper = Math.floor(value / TWO_32);
  const lower = value - upper * TWO_32;
  return writeWords(upper, lower, target, at);
}

function writeWords(upper: number, lower: number, target: Buffer, at: number): number {
  return putInt32(lower, target, putInt32(upper, target, at));
}

/** a * factor + rest as eight bytes, for |a| below 2^38, a factor below 2^30, and |rest| below the factor. */
function writeProduct(a: number, factor: number, rest: number, target: Buffer, at: number): number {
  const high = Math.floor(a / 65536) * factor;
  // Both are exact: 22 and 30 bits, 16 and 30 bits.
  const low = (a - Math.floor(a / 65536) * 65536) * factor + rest;
  const middle = Math.floor(high / 65536);
  const sum = (high - middle * 65536) * 65536 + low;
  const carry = Math.floor(sum / TWO_32);
  return writeWords(middle + carry, sum - carry * TWO_32, target, at);
}

/** Powers of ten that are exact in a DOUBLE. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** A DOUBLE's text. Up to 15 digits and an exact power of ten make it by one operation, which rounds right. */
function readDouble(source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === MINUS;
  let mantissa = 0;
  let count = 0;
  let power = 0;
  let isFraction = false;
  let i = isNegative ? from + 1 : from;
  for (; i < to; i++) {
    const byte = source[i]!;
    if (byte === DOT) isFraction = true;
    else if (byte < ZERO || byte > NINE) break;
    else {
      mantissa = mantissa * 10 + byte - ZERO;
      if (mantissa > 0) count++;
      if (isFraction) power--;
    }
  }
  if (i < to) {
    const isSmall = source[i + 1] === MINUS;
    const exponent = readDigits(source, isSmall || source[i + 1] === PLUS ? i + 2 : i + 1, to);
    power += isSmall ? -exponent : exponent;
  }
  if (count > EXACT_DIGITS || power < -22 || power > 22) return Number(source.toString("latin1", from, to));
  const value = power < 0 ? mantissa / POWERS[-power]! : mantissa * POWERS[power]!;
  return isNegative ? -value : value;
}

export function writeFloat64(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  return target.writeDoubleBE(readDouble(source, from, to), at);
}

export function writeFloat32(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  return target.writeFloatBE(readDouble(source, from, to), at);
}

/** Length in bits, and the bits from the first byte's highest on; MySQL's end with the last byte's lowest. */
export function writeBitString(
  source: Buffer,
  to: number,
  length: number,
  target: Buffer,
  at: number,
): number {
  let end = putInt32(length, target, at);
  const bytes = (length + 7) >> 3;
  const shift = 8 * bytes - length;
  for (let i = to - bytes; i < to; i++) {
    const next = i + 1 < to ? source[i + 1]! : 0;
    target[end++] = (source[i]! << shift) | (next >> (8 - shift));
  }
  return end;
}

/** 1970-01-01 in days from 2000-01-01 on. */
export const EPOCH_DAY = -10_957;

/** Microseconds from the beginning of 2000-01-01 on. */
export function writeMoment(
  days: number,
  second: number,
  micros: number,
  target: Buffer,
  at: number,
): number {
  return writeProduct(days * SECONDS_A_DAY + second, MICROSECONDS, micros, target, at);
}

/** The day of a DATE, DATETIME or TIMESTAMP, or NO_DAY for one that no calendar has. */
export function readDay(source: Buffer, from: number): number {
  const year = readPair(source, from) * 100 + readPair(source, from + 2);
  const month = readPair(source, from + 5);
  const day = readPair(source, from + 8);
  if (month === 0 || day === 0 || (day > 28 && day > daysOf(year, month))) return NO_DAY;
  return dayNumber(year, month, day);
}

/** Below every day. */
export const NO_DAY = -2_000_000;

function readPair(source: Buffer, at: number): number {
  return source[at]! * 10 + source[at + 1]! - 11 * ZERO;
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/**
 * Years are counted from March on, so that the day that may be missing is the last, and from 400 years before the
 * first, so that none is negative and whole numbers do.
 */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year + 400 : year + 399;
  const m = month > 2 ? month - 3 : month + 9;
  const century = (y / 100) | 0;
  const leaps = (y >> 2) - century + (century >> 2);
  return 365 * y + leaps + (((153 * m + 2) / 5) | 0) + day - 1 - DAYS_TO_2000;
}

/** From the first of March of 400 years before the year 0 to the first of January of 2000. */
const DAYS_TO_2000 = 146_097 + 730_425;

/** Seconds of the time of day in `source` from `from` on: hh:mm:ss. */
export function readSecond(source: Buffer, from: number): number {
  return (readPair(source, from) * 60 + readPair(source, from + 3)) * 60 + readPair(source, from + 6);
}

/** Microseconds of the fraction whose digits begin at `from`; none when that is behind `to`. */
export function readMicros(source: Buffer, from: number, to: number): number {
  let micros = 0;
  for (let i = 0; i < 6; i++) micros = micros * 10 + (from + i < to ? source[from + i]! - ZERO : 0);
  return micros;
}

/** A TIME as microseconds, days and months. */
export function writeInterval(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  const micros = timeMicros(source, from, to);
  const end = writeWhole(micros, target, at);
  target.fill(0, end, end + 8);
  return end + 8;
}

export function writeTimeOfDay(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  return writeWhole(timeMicros(source, from, to), target, at);
}

function timeMicros(source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === MINUS;
  const first = isNegative ? from + 1 : from;
  let colon = first;
  while (source[colon] !== 0x3a) colon++;
  const hours = readDigits(source, first, colon);
  const minutes = readDigits(source, colon + 1, colon + 3);
  const seconds = readDigits(source, colon + 4, colon + 6);
  const micros = ((hours * 60 + minutes) * 60 + seconds) * MICROSECONDS + readMicros(source, colon + 7, to);
  return isNegative ? -micros : micros;
}

export function writeUuid(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  let end = at;
  for (let i = from; i < to; i++) {
    if (source[i] === MINUS) continue;
    target[end++] = (digitOf(source[i]!) << 4) | digitOf(source[i + 1]!);
    i++;
  }
  return end;
}

function digitOf(byte: number): number {
  return byte <= NINE ? byte - ZERO : (byte & 0x0f) + 9;
}
