import type { DigestForm } from "../core/row-digest.ts";
import { Moment } from "../mapping/filter/moment.ts";
import { sexagesimal } from "../mapping/filter/moment-text.ts";

const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;

const ZONE_UTC = "+00";
const SECOND_LENGTH = 19;
const DAY_SECONDS = 86_400;
const MILLION = 1_000_000;
const MOST_DIGITS = 6;
const START_OF_2000 = 946_684_800;
const MIDNIGHT = " 00:00:00";
const BEFORE_CHRIST = " BC";

const DATE = /^(\d{4,7}-\d\d-\d\d)([ T].*?)??( BC)?$/;
const MOMENT = /^(\d{4,7}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.(\d+))?)(Z|[+-]\d\d(?::\d\d){0,2})?)?( BC)?$/;
const TIME = /^(-?)(\d{2,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;

const moment = new Moment();

/** Of a date, or a date with a time of day. */
export function dateText(cell: Buffer): Buffer | undefined {
  const text = cell.toString("latin1");
  if (isInfinite(text)) return cell;
  const found = DATE.exec(text);
  return found === null ? undefined : Buffer.from(`${found[1]}${found[3] ?? ""}`, "latin1");
}

/** Of a date, or a date with a time of day, with a zone or without. */
export function timestampText(
  cell: Buffer,
  form: Extract<DigestForm, { readonly kind: "timestamp" }>,
): Buffer | undefined {
  const end = plainEnd(cell, form.digits);
  if (end !== undefined) return end === cell.length ? cell : cell.subarray(0, end);
  const text = cell.toString("latin1");
  if (isInfinite(text)) return cell;
  const found = MOMENT.exec(text);
  if (found === null) return undefined;
  const [, date, time = MIDNIGHT.slice(1), fraction = "", zone, era = ""] = found;
  const isUtc = zone === undefined || zone === ZONE_UTC || zone === "Z";
  const isPlain = isUtc && fraction.length <= form.digits && !fraction.endsWith("0");
  // Dates that no calendar has are what they are: no arithmetic keeps them.
  if (isPlain || isUnreal(date!, era)) return Buffer.from(`${date} ${time}${era}`, "latin1");
  moment.read("timestamp", cell, 0, cell.length);
  const tiesGoDown = form.countsFrom2000 === true && moment.seconds < START_OF_2000;
  const [seconds, micros] = rounded(moment.seconds, moment.micros, form.digits, tiesGoDown);
  return Buffer.from(momentText(seconds, micros), "latin1");
}

/** Where what is wanted of a cell ends, as most are written that way already: in UTC, with a fraction that is short enough. */
function plainEnd(cell: Buffer, digits: number): number | undefined {
  const length = cell.length;
  const isUtc = cell[length - 3] === PLUS && cell[length - 2] === ZERO && cell[length - 1] === ZERO;
  const end = isUtc ? length - ZONE_UTC.length : length;
  const isShaped = cell[4] === MINUS && cell[7] === MINUS && cell[10] === SPACE && cell[13] === COLON;
  if (!isShaped || end < SECOND_LENGTH || (end > SECOND_LENGTH && cell[SECOND_LENGTH] !== DOT))
    return undefined;
  if (end > SECOND_LENGTH + 1 + digits || cell[end - 1] === ZERO)
    return end === SECOND_LENGTH ? end : undefined;
  for (let at = SECOND_LENGTH + 1; at < end; at++) if (cell[at]! < ZERO || cell[at]! > NINE) return undefined;
  return end;
}

/** Of a time of day, or of an interval that has hours; other intervals are what they are. */
export function timeText(cell: Buffer, digits: number): Buffer | undefined {
  const text = cell.toString("latin1");
  const found = TIME.exec(text);
  if (found === null) return cell;
  const [, sign, hours, minutes, seconds, fraction = ""] = found;
  if (fraction.length <= digits && !fraction.endsWith("0")) return cell;
  const whole = 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
  const [made, micros] = rounded(whole, Number(fraction.padEnd(MOST_DIGITS, "0")), digits, false);
  const isZero = made === 0 && micros === 0;
  return Buffer.from(`${isZero ? "" : sign}${clockText(made, micros)}`, "latin1");
}

function isInfinite(text: string): boolean {
  return text === "infinity" || text === "-infinity";
}

/** Month or day is 0, or the month does not have the day. Before the year 1 there is a year 0. */
function isUnreal(date: string, era: string): boolean {
  const [shown, month, day] = date.split("-").map(Number) as [number, number, number];
  if (month === 0 || day === 0) return true;
  const year = era === "" ? shown : 1 - shown;
  const made = new Date(Date.UTC(2000 + (year % 400), month - 1, day));
  return made.getUTCMonth() !== month - 1;
}

/** To so many digits of a second; a half goes up, or down. */
function rounded(
  seconds: number,
  micros: number,
  digits: number,
  tiesGoDown: boolean,
): readonly [seconds: number, micros: number] {
  const unit = 10 ** (MOST_DIGITS - Math.min(digits, MOST_DIGITS));
  const rest = micros % unit;
  const goesUp = tiesGoDown ? 2 * rest > unit : 2 * rest >= unit;
  const made = micros - rest + (goesUp && rest > 0 ? unit : 0);
  return made === MILLION ? [seconds + 1, 0] : [seconds, made];
}

function momentText(seconds: number, micros: number): string {
  const day = Math.floor(seconds / DAY_SECONDS);
  const { year, monthAndDay } = civil(day);
  const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
  const clock = clockText(seconds - day * DAY_SECONDS, micros);
  return `${shown}-${monthAndDay} ${clock}${year > 0 ? "" : BEFORE_CHRIST}`;
}

function clockText(seconds: number, micros: number): string {
  const fraction = micros === 0 ? "" : `.${String(micros).padStart(MOST_DIGITS, "0").replace(/0+$/, "")}`;
  return `${sexagesimal(seconds)}${fraction}`;
}

/** The calendar's date of a day since 1970-01-01; its years count from 0 backwards. The calendar comes again after 400 years. */
function civil(day: number): { readonly year: number; readonly monthAndDay: string } {
  const DAYS_OF_400_YEARS = 146_097;
  const turns = Math.floor(day / DAYS_OF_400_YEARS);
  const within = new Date((day - turns * DAYS_OF_400_YEARS) * DAY_SECONDS * 1000);
  return {
    year: within.getUTCFullYear() + 400 * turns,
    monthAndDay: within.toISOString().slice("YYYY-".length, "YYYY-MM-DD".length),
  };
}
