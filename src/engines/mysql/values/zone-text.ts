import type { SqlText } from "./sql-text.ts";

const QUOTE = 0x27;
const COLON = 0x3a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Appends a timestamp or a time of the shared text form, quoted, in UTC: servers before MySQL 8.0.19 and MariaDB take
 * no offsets in texts. The offset is +00 in nearly all cases, which is left out. Room is there already.
 */
export function writeTimestamp(out: SqlText, source: Uint8Array, start: number, end: number): void {
  const zone = zoneStart(source, start, end);
  if (zone < end && !isZero(source, zone, end)) {
    const text = inUtc(latin1(source, start, zone), offsetSeconds(latin1(source, zone, end)));
    out.append(Buffer.from(`'${text}'`));
    return;
  }
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = QUOTE;
  for (let i = start; i < zone; i++) bytes[at++] = source[i]!;
  bytes[at++] = QUOTE;
  out.length = at;
}

/** Where the offset starts, a sign that comes after a colon; `end` when there is none, as in "infinity" or years BC. */
function zoneStart(source: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at > start) {
    const byte = source[at]!;
    if (byte === PLUS || byte === MINUS) break;
    if (byte !== COLON && (byte < ZERO || byte > NINE)) return end;
    at--;
  }
  for (let i = start; i < at; i++) if (source[i] === COLON) return at;
  return end;
}

function isZero(source: Uint8Array, zone: number, end: number): boolean {
  for (let i = zone + 1; i < end; i++) if (source[i] !== ZERO && source[i] !== COLON) return false;
  return true;
}

/** Only for other offsets than zero, which sources hardly write: this makes a string. */
function latin1(source: Uint8Array, start: number, end: number): string {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString("latin1");
}

/** Seconds that "+05:30" or "-03" is ahead of UTC. */
function offsetSeconds(offset: string): number {
  const [hours, minutes = 0, seconds = 0] = offset.slice(1).split(":").map(Number);
  const total = hours! * 3600 + minutes * 60 + seconds;
  return offset.startsWith("-") ? -total : total;
}

const DAY_MS = 86_400_000;

function inUtc(text: string, aheadSeconds: number): string {
  const [whole, fraction] = text.split(".") as [string, string | undefined];
  const space = whole.indexOf(" ");
  const clock = whole.slice(space + 1);
  const [hours, minutes, seconds] = clock.split(":").map(Number);
  const ms = ((hours! * 60 + minutes!) * 60 + seconds! - aheadSeconds) * 1000;
  const rest = fraction === undefined ? "" : `.${fraction}`;
  if (space < 0) return new Date(((ms % DAY_MS) + DAY_MS) % DAY_MS).toISOString().slice(11, 19) + rest;
  const [year, month, day] = whole.slice(0, space).split("-").map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!);
  const iso = new Date(date.getTime() + ms).toISOString();
  const end = iso.indexOf("T");
  return `${iso.slice(0, end)} ${iso.slice(end + 1, end + 9)}${rest}`;
}
