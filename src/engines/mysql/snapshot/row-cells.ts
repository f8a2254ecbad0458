/*
 * Cells of a row as the server's text protocol sends them, written as cells of COPY's text (docs/decisions/021).
 * Each function takes bytes [from, to) of `source`, writes to `target` from `at` on, and returns where it stopped.
 */

const BACKSLASH = 0x5c;
const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_T = 0x74;
const LOWER_X = 0x78;

/** What a date that no calendar has comes to instead of a place. */
export const NO_DATE = -1;

/** A cell that is shorter is copied faster by a loop than by a call. */
const LONG_CELL = 48;

/** Of each byte that COPY's text escapes: the letter after the backslash; 0 for all others. */
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of [
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0b, "v"],
  [0x0c, "f"],
  [0x0d, "r"],
  [BACKSLASH, "\\"],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0);
}

/** The two digits of each byte. */
const HIGH_DIGITS = new Uint8Array(256);
const LOW_DIGITS = new Uint8Array(256);
for (let i = 0; i < 256; i++) {
  const digits = i.toString(16).padStart(2, "0");
  HIGH_DIGITS[i] = digits.charCodeAt(0);
  LOW_DIGITS[i] = digits.charCodeAt(1);
}

export function writeNull(target: Buffer, at: number): number {
  target[at] = BACKSLASH;
  target[at + 1] = 0x4e;
  return at + 2;
}

/** What holds nothing that is to be escaped. */
export function copyCell(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  if (to - from >= LONG_CELL) return at + source.copy(target, at, from, to);
  let end = at;
  for (let i = from; i < to; i++) target[end++] = source[i]!;
  return end;
}

/** A number without the zeros that ZEROFILL and YEAR put before it. */
export function writeNumber(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  let first = from;
  let end = at;
  if (source[first] === MINUS) target[end++] = source[first++]!;
  while (first + 1 < to && source[first] === ZERO && source[first + 1] !== DOT) first++;
  return copyCell(source, first, to, target, end);
}

/** Bytes above the control characters are copied in runs; a cell may be given in pieces. */
export function escapeText(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  let end = at;
  let i = from;
  while (i < to) {
    if (to - i >= LONG_CELL) {
      const run = plainRun(source, i, to);
      if (run - i >= LONG_CELL) {
        end += source.copy(target, end, i, run);
        i = run;
        continue;
      }
    }
    // Up to the end of a short run, or of what is left.
    const stop = Math.min(to, i + LONG_CELL);
    for (; i < stop; i++) {
      const byte = source[i]!;
      const letter = ESCAPES[byte]!;
      if (letter !== 0) {
        target[end++] = BACKSLASH;
        target[end++] = letter;
      } else {
        target[end++] = byte;
      }
    }
  }
  return end;
}

function plainRun(source: Buffer, from: number, to: number): number {
  let i = from;
  while (i < to && ESCAPES[source[i]!] === 0) i++;
  return i;
}

/** `\x`, escaped, which stands before the digits of bytes. */
export function startHex(target: Buffer, at: number): number {
  target[at] = BACKSLASH;
  target[at + 1] = BACKSLASH;
  target[at + 2] = LOWER_X;
  return at + 3;
}

export function writeHex(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  let end = at;
  for (let i = from; i < to; i++) {
    const byte = source[i]!;
    target[end++] = HIGH_DIGITS[byte]!;
    target[end++] = LOW_DIGITS[byte]!;
  }
  return end;
}

/** Bytes of a geometry's number of its reference system, and of the head after it: byte order and kind. */
export const GEOMETRY_HEAD = 9;

/** The digits of a geometry's head. */
export function writeGeometryHead(source: Buffer, from: number, target: Buffer, at: number): number {
  const length = writeGeometryHeadBytes(source, from, geometryHead, 0);
  return writeHex(geometryHead, 0, length, target, at);
}

const geometryHead = Buffer.alloc(GEOMETRY_HEAD);
const HAS_REFERENCE = 0x20;

/**
 * The server has the number of the reference system in front, in the order of Intel's processors; PostGIS has it behind
 * the kind, which is then marked by a bit, in the order that the first byte names, and leaves out zero.
 */
export function writeGeometryHeadBytes(source: Buffer, from: number, target: Buffer, at: number): number {
  const isLittle = source[from + 4] === 1;
  for (let i = 0; i < 5; i++) target[at + i] = source[from + 4 + i]!;
  if ((source[from]! | source[from + 1]! | source[from + 2]! | source[from + 3]!) === 0) return at + 5;
  target[at + (isLittle ? 4 : 1)]! |= HAS_REFERENCE;
  for (let i = 0; i < 4; i++) target[at + 5 + i] = source[from + (isLittle ? i : 3 - i)]!;
  return at + GEOMETRY_HEAD;
}

/** The last `length` bits of a BIT's bytes. */
export function writeBits(source: Buffer, to: number, length: number, target: Buffer, at: number): number {
  for (let i = 0; i < length; i++) {
    const bit = length - 1 - i;
    target[at + i] = ZERO | ((source[to - 1 - (bit >> 3)]! >> (bit & 7)) & 1);
  }
  return at + length;
}

/** A number as false for zero and true for any other. */
export function writeBoolean(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  target[at] = to - from === 1 && source[from] === ZERO ? LOWER_F : LOWER_T;
  return at + 1;
}

/** A DOUBLE: an exponent gets a sign. */
export function writeDouble(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  let end = at;
  for (let i = from; i < to; i++) {
    const byte = source[i]!;
    target[end++] = byte;
    if (byte === LOWER_E && source[i + 1]! >= ZERO && source[i + 1]! <= NINE) target[end++] = PLUS;
  }
  return end;
}

const DATE_LENGTH = 10;

/**
 * A DATE, DATETIME or TIMESTAMP without the fraction's trailing zeros; `zoned`: followed by the offset of UTC.
 * NO_DATE for zeros in place of month or day, and for days that a month does not have.
 */
export function writeDate(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  zoned: boolean,
): number {
  const month = twoDigits(source, from + 5);
  const day = twoDigits(source, from + 8);
  if (month === 0 || day === 0 || day > 28) {
    if (month === 0 || day === 0 || day > daysOf(source, from, month)) return NO_DATE;
  }
  const isYearZero = source[from] === ZERO && isZeros(source, from + 1, from + 4);
  const last = to - from > DATE_LENGTH ? withoutFractionZeros(source, from + DATE_LENGTH, to) : to;
  let end = at;
  for (let i = from; i < last; i++) target[end++] = source[i]!;
  if (isYearZero) target[at + 3] = ONE;
  if (zoned) end = writeZone(target, end);
  if (isYearZero) {
    target[end++] = SPACE;
    target[end++] = 0x42;
    target[end++] = 0x43;
  }
  return end;
}

/** The same for a target that has what no calendar has: the date as the server shows it. */
export function writeShownDate(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  zoned: boolean,
): number {
  const last = to - from > DATE_LENGTH ? withoutFractionZeros(source, from + DATE_LENGTH, to) : to;
  const end = copyCell(source, from, last, target, at);
  return zoned ? writeZone(target, end) : end;
}

function writeZone(target: Buffer, at: number): number {
  target[at] = PLUS;
  target[at + 1] = ZERO;
  target[at + 2] = ZERO;
  return at + 3;
}

/** A TIME, without the fraction's trailing zeros. */
export function writeTime(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  const last = withoutFractionZeros(source, from, to);
  let end = at;
  for (let i = from; i < last; i++) target[end++] = source[i]!;
  return end;
}

function twoDigits(source: Buffer, at: number): number {
  return 10 * (source[at]! - ZERO) + source[at + 1]! - ZERO;
}

function isZeros(source: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (source[i] !== ZERO) return false;
  return true;
}

function daysOf(source: Buffer, from: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  const century = twoDigits(source, from);
  const inCentury = twoDigits(source, from + 2);
  const isLeap = inCentury === 0 ? century % 4 === 0 : inCentury % 4 === 0;
  return isLeap ? 29 : 28;
}

/** The time's fraction begins eight characters before its dot at the earliest, so digits before it are no matter. */
function withoutFractionZeros(source: Buffer, from: number, to: number): number {
  let dot = to - 1;
  const first = Math.max(from, to - 7);
  while (dot >= first && source[dot] !== DOT) dot--;
  if (dot < first) return to;
  let last = to;
  while (source[last - 1] === ZERO) last--;
  return last - 1 === dot ? dot : last;
}
