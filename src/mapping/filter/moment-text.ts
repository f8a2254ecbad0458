const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const CLOCK = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?$/;
const ZONE = /\s*(?:(Z)|([-+])(\d\d)(?::?(\d\d))?)$/i;
const INTERVAL = /^([-+]?)(\d{1,9}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?$/;

/** Seconds of a day, and the digits behind their point without trailing zeros. */
interface Clock {
  readonly seconds: number;
  readonly fraction: string;
}

/** A date of the years 1 to 9999, which all sources have. All functions here: undefined for what is none. */
export function dateText(value: string): string | undefined {
  return daysOf(value) === undefined ? undefined : value;
}

/** A timestamp; of a date its beginning. `zoned`: it may have an offset, and is put into UTC. */
export function momentText(value: string, zoned: boolean): string | undefined {
  const { local, offset } = partsOf(value, zoned);
  const [date = "", time = "00:00:00", ...rest] = local.split(/[ T]/);
  const days = daysOf(date);
  const clock = clockOf(time);
  if (days === undefined || clock === undefined || clock.seconds >= DAY || rest.length > 0) return undefined;
  const moment = new Date(1000 * (days * DAY + clock.seconds - offset));
  const text = moment.toISOString().slice(0, 19).replace("T", " ");
  const year = moment.getUTCFullYear();
  if (year < 1 || year > 9999) return undefined;
  return `${text}${fractionText(clock)}${zoned ? "+00" : ""}`;
}

/** A time of day up to 24:00:00. Of a column with zones it keeps its own, as that counts when it is compared. */
export function clockText(value: string, zoned: boolean): string | undefined {
  const { local, zone } = partsOf(value, zoned);
  const clock = clockOf(local);
  if (clock === undefined) return undefined;
  return `${sexagesimal(clock.seconds)}${fractionText(clock)}${zoned ? zone : ""}`;
}

/** Hours of any number, minutes and seconds. */
export function intervalText(value: string): string | undefined {
  const [, sign = "", hours = "", minutes = "", seconds = "00", fraction = ""] = INTERVAL.exec(value) ?? [];
  if (hours === "" || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const total = 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
  const digits = withoutZeros(fraction);
  const isNegative = sign === "-" && (total > 0 || digits !== "");
  return `${isNegative ? "-" : ""}${sexagesimal(total)}${fractionText({ seconds: total, fraction: digits })}`;
}

const DAY = 86_400;

function partsOf(
  value: string,
  zoned: boolean,
): { readonly local: string; readonly offset: number; readonly zone: string } {
  // A date alone ends in what looks like a zone.
  const found = zoned && value.includes(":") ? ZONE.exec(value) : null;
  if (found === null) return { local: value, offset: 0, zone: "+00" };
  const local = value.slice(0, found.index);
  const [, utc, sign = "+", hours = "00", minutes = "00"] = found;
  if (utc !== undefined) return { local, offset: 0, zone: "+00" };
  const ahead = 3600 * Number(hours) + 60 * Number(minutes);
  const isValid = Number(hours) < 16 && Number(minutes) < 60;
  const zone = `${ahead === 0 ? "+" : sign}${hours}${minutes === "00" ? "" : `:${minutes}`}`;
  return { local: isValid ? local : "", offset: sign === "-" ? -ahead : ahead, zone };
}

/** Since 1970. */
function daysOf(text: string): number | undefined {
  const [, year = "", month = "", day = ""] = DATE.exec(text) ?? [];
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isReal = Number(year) > 0 && date.toISOString().slice(0, 10) === text;
  return isReal ? date.getTime() / (1000 * DAY) : undefined;
}

function clockOf(text: string): Clock | undefined {
  const [, hours = "", minutes = "", seconds = "00", fraction = ""] = CLOCK.exec(text) ?? [];
  if (hours === "" || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const clock = {
    seconds: 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds),
    fraction: withoutZeros(fraction),
  };
  const isInDay = clock.seconds < DAY || (clock.seconds === DAY && clock.fraction === "");
  return isInDay ? clock : undefined;
}

function withoutZeros(fraction: string): string {
  return fraction.replace(/0+$/, "");
}

function fractionText({ fraction }: Clock): string {
  return fraction === "" ? "" : `.${fraction}`;
}

/** Hours, minutes and seconds. */
export function sexagesimal(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
