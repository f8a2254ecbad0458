import type { Column, LogicalType } from "../../../core/schema.ts";

import { identifier } from "../catalog/identifier.ts";

const SECOND_LENGTH = 19;
const MOST_DIGITS = 6;

/** Dates that no calendar has are shown as they are. */
export function dateSql(name: string, type: LogicalType): string | undefined {
  if (type.kind === "timestamp") return `left(${name}, 10)`;
  return type.kind === "date" ? name : undefined;
}

export function timestampSql(name: string, type: LogicalType, digits: number): string | undefined {
  if (type.kind === "date") return `concat(${name}, ' 00:00:00')`;
  if (type.kind !== "timestamp") return undefined;
  if (type.precision === 0) return name;
  if (type.precision <= digits) return withoutZeros(name);
  // Casts round on one server and cut on the other. A sum is NULL where a date is none, and after the last that there is.
  const half = 5 * 10 ** (MOST_DIGITS - 1 - digits);
  const sum = `cast(ifnull(${name} + interval ${half} microsecond, ${name}) as datetime(${MOST_DIGITS}))`;
  return digits === 0
    ? `left(${sum}, ${SECOND_LENGTH})`
    : withoutZeros(`left(${sum}, ${SECOND_LENGTH + 1 + digits})`);
}

export function timeSql({ name, type, nativeType }: Column, digits: number): string | undefined {
  if (type.kind !== "time" && type.kind !== "interval") return undefined;
  const precision = Number(/^time\((\d)\)/i.exec(nativeType)?.[1] ?? 0);
  if (precision > digits) return undefined;
  return precision === 0 ? identifier(name) : withoutZeros(identifier(name));
}

/** Of a text that has a fraction. */
function withoutZeros(text: string): string {
  return `trim(trailing '.' from trim(trailing '0' from ${text}))`;
}
