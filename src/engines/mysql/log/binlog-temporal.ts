import { writeFraction, writePadded, writeTwo, writeUnsigned } from "./binlog-digits.ts";

/*
 * Dates and times in the canonical text form. Whether a date is one is for the caller to ask first: MySQL stores
 * 0000-00-00, 2026-00-00 and, when it is told to, 2026-02-31.
 */

const MINUS = 0x2d;
const COLON = 0x3a;
const SPACE = 0x20;
const PLUS = 0x2b;
const ZERO = 0x30;
const DATE_LENGTH = 10;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > DAYS[month - 1]!) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** Year 0 is what the text form calls 1 BC; whoever writes a time behind the date writes " BC" behind that. */
export function writeDate(out: Uint8Array, at: number, year: number, month: number, day: number): number {
  return writeShownDate(out, at, year === 0 ? 1 : year, month, day);
}

/** The same as MySQL shows it, whether it is a date or not. */
export function writeShownDate(
  out: Uint8Array,
  at: number,
  year: number,
  month: number,
  day: number,
): number {
  let to = writePadded(out, at, year, 4);
  out[to++] = MINUS;
  to = writeTwo(out, to, month);
  out[to++] = MINUS;
  return writeTwo(out, to, day);
}

export function writeBc(out: Uint8Array, at: number): number {
  out[at] = SPACE;
  out[at + 1] = 0x42;
  out[at + 2] = 0x43;
  return at + 3;
}

/** `seconds` of the day, and a fraction of so many digits. */
export function writeTimeOfDay(
  out: Uint8Array,
  at: number,
  seconds: number,
  fraction: number,
  digits: number,
): number {
  const minutes = Math.trunc(seconds / 60);
  let to = writeTwo(out, at, Math.trunc(minutes / 60));
  out[to++] = COLON;
  to = writeTwo(out, to, minutes % 60);
  out[to++] = COLON;
  to = writeTwo(out, to, seconds % 60);
  return writeFraction(out, to, fraction, digits);
}

/** `packed`: hours in the upper bits, six bits of minutes, six of seconds, as TIME's new form has them. */
export function writeDuration(
  out: Uint8Array,
  at: number,
  packed: number,
  fraction: number,
  digits: number,
): number {
  const hours = packed >> 12;
  let to = hours < 100 ? writeTwo(out, at, hours) : writeUnsigned(out, at, hours);
  out[to++] = COLON;
  to = writeTwo(out, to, (packed >> 6) & 63);
  out[to++] = COLON;
  to = writeTwo(out, to, packed & 63);
  return writeFraction(out, to, fraction, digits);
}

/** A moment in seconds since 1970 as UTC, with its offset. */
export function writeMoment(
  out: Uint8Array,
  at: number,
  moment: number,
  fraction: number,
  digits: number,
): number {
  const day = Math.floor(moment / 86_400);
  let to = writeDay(out, at, day);
  out[to++] = SPACE;
  to = writeTimeOfDay(out, to, moment - day * 86_400, fraction, digits);
  return writeUtc(out, to);
}

function writeUtc(out: Uint8Array, at: number): number {
  out[at] = PLUS;
  out[at + 1] = ZERO;
  out[at + 2] = ZERO;
  return at + 3;
}

/** The last day that was written, and its text: values that follow each other are often of one. */
let lastDay = Number.NaN;
const lastText = new Uint8Array(DATE_LENGTH);

function writeDay(out: Uint8Array, at: number, day: number): number {
  if (day === lastDay) {
    for (let i = 0; i < DATE_LENGTH; i++) out[at + i] = lastText[i]!;
    return at + DATE_LENGTH;
  }
  const end = computeDay(out, at, day);
  for (let i = 0; i < DATE_LENGTH; i++) lastText[i] = out[at + i]!;
  lastDay = day;
  return end;
}

/** Days since 1970 as a date: years are counted from March on in eras of 400 (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function computeDay(out: Uint8Array, at: number, day: number): number {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.trunc(
    (ofEra - Math.trunc(ofEra / 1460) + Math.trunc(ofEra / 36_524) - Math.trunc(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100));
  const month = Math.trunc((5 * ofYear + 2) / 153);
  const dayOfMonth = ofYear - Math.trunc((153 * month + 2) / 5) + 1;
  const isNextYear = month >= 10;
  return writeDate(
    out,
    at,
    yearOfEra + era * 400 + (isNextYear ? 1 : 0),
    month + (isNextYear ? -9 : 3),
    dayOfMonth,
  );
}
