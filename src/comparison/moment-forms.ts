import type { Column } from "../core/schema.ts";
import { type ColumnForm, type ColumnPair, joins } from "./column-pair.ts";

const MOST_DIGITS = 6;

/** PostgreSQL's names of its types, whose values it shifts by the zone of a session when it makes one of the other. */
const SAYS_ZONE = / with(?:out)? time zone$/;

/** Dates and times with each other, and texts on the source that rules have made such of. */
export function momentForm(pair: ColumnPair): ColumnForm | undefined {
  const { source, target } = pair;
  if (joins(pair, ["date"], ["date", "timestamp"])) return dateForm(pair);
  if (joins(pair, ["timestamp"])) return isShifted(pair) ? undefined : timestampForm(pair);
  if (joins(pair, ["time", "interval"])) return timeForm(pair);
  if (source.type.kind !== "string") return undefined;
  const { type } = target;
  if (type.kind === "date") return { form: { kind: "date" } };
  if (type.kind === "timestamp" && !type.zoned) return timestampForm(pair);
  return type.kind === "time" && !type.zoned ? { form: { kind: "time", digits: type.precision } } : undefined;
}

function dateForm({ source, target }: ColumnPair): ColumnForm | undefined {
  const [a, b] = [source.type, target.type];
  if ((a.kind === "timestamp" && a.zoned) || (b.kind === "timestamp" && b.zoned)) return undefined;
  const form = { kind: "date" } as const;
  return a.kind === "date" ? { form } : { form, loss: "Times of day are not compared." };
}

/** A moment on one side and what some clock shows on the other: only MySQL's sessions have one zone for all. */
function isShifted({ source, target }: ColumnPair): boolean {
  const [a, b] = [source.type, target.type];
  if (a.kind !== "timestamp" || b.kind !== "timestamp" || a.zoned === b.zoned) return false;
  const [ofSource, ofTarget] = [SAYS_ZONE.test(source.nativeType), SAYS_ZONE.test(target.nativeType)];
  return ofTarget && (b.zoned || ofSource);
}

function timestampForm(pair: ColumnPair): ColumnForm {
  const { source, target } = pair;
  const digits = Math.min(digitsOf(source), digitsOf(target));
  const isRounded = digitsOf(source) > digits;
  // PostgreSQL keeps microseconds since 2000 and rounds them away from there.
  const countsFrom2000 = isRounded && SAYS_ZONE.test(target.nativeType);
  const form = { kind: "timestamp", digits, ...(countsFrom2000 ? { countsFrom2000 } : {}) } as const;
  return isRounded ? { form, loss: lossOf(digits) } : { form };
}

function timeForm({ source, target }: ColumnPair): ColumnForm | undefined {
  const isInterval = ({ nativeType }: Column): boolean => /^interval\b/.test(nativeType);
  const isZoned = ({ type }: Column): boolean => type.kind === "time" && type.zoned;
  // An interval of days is none of hours, and a zone belongs to the value.
  if (isInterval(source) && isInterval(target)) return { form: { kind: "own" } };
  if (isZoned(source) || isZoned(target)) {
    return isZoned(source) && isZoned(target) ? { form: { kind: "own" } } : undefined;
  }
  const digits = Math.min(digitsOf(source), digitsOf(target));
  const form = { kind: "time", digits } as const;
  return digitsOf(source) > digits ? { form, loss: lossOf(digits) } : { form };
}

function lossOf(digits: number): string {
  return digits === 0
    ? "Fractions of a second are not compared."
    : `Digits of a second after the first ${digits} are not compared.`;
}

/** Digits of a second's fraction. A time that is an interval here has them in its name. */
function digitsOf({ type, nativeType }: Column): number {
  if (type.kind === "timestamp" || type.kind === "time") return Math.min(type.precision, MOST_DIGITS);
  const time = /^time(?:\((\d)\))?$/.exec(nativeType);
  return time === null ? MOST_DIGITS : Number(time[1] ?? 0);
}
