/** Numbers as people read them. */

/** 1234567 as "1,234,567". */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** "1 table", "1,234 tables". */
export function things(number: number, what: string): string {
  return `${count(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** At most five characters: "987", "9,870", "12.3k", "4.56M". For rates and narrow columns. */
export function short(value: number): string {
  if (value < 9.95) return value % 1 === 0 ? value.toString() : value.toFixed(1);
  if (value < 9_999.5) return count(value);
  const units = ["k", "M", "G", "T"];
  let scaled = value;
  let unit = "";
  for (const next of units) {
    if (scaled < 999.5) break;
    scaled /= 1000;
    unit = next;
  }
  return `${threeDigits(scaled)}${unit}`;
}

/** 1048576 as "1.05 MB": decimal units, as disks and networks count. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(scaled) : threeDigits(scaled)} ${units[unit]}`;
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : Math.round(value).toString();
}

/** Time that has passed, as a clock shows it: "0:07", "12:34", "3:00:00". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A time to wait or that has passed, to two units: "42 s", "3 min 05 s", "2 h 10 min", "5 d 03 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** The same in at most seven characters for a column: "42s", "3m05s", "2h10m", "5d03h". */
export function shortDuration(seconds: number): string {
  return duration(seconds)
    .replaceAll(" min", "m")
    .replaceAll(/ (?=[sdh])/g, "")
    .replaceAll(" ", "");
}

/** A lag or latency: "85 ms", "1.24 s", "12.3 s", then as duration. Clocks may differ: below 0 is 0. */
export function latency(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < 999.5) return `${Math.round(value)} ms`;
  return value < 99_950 ? `${threeDigits(value / 1000)} s` : duration(value / 1000);
}

/** 0 to 100 with at most three digits: "0 %", "62 %"; below 100 never shows as 100. */
export function percent(value: number): string {
  return `${value >= 100 ? 100 : Math.max(0, Math.min(99, Math.floor(value)))} %`;
}

function two(value: number): string {
  return value.toString().padStart(2, "0");
}
