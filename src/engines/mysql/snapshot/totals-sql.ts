import { ExactSum } from "../../../base/exact-sum.ts";
import {
  type ColumnTotal,
  isSummed,
  type RowTotals,
  type TotalColumn,
  type TotalForm,
  type TotalsRequest,
} from "../../../core/row-totals.ts";
import type { Column } from "../../../core/schema.ts";
import { identifier } from "../catalog/identifier.ts";
import { keepsZeroDates, type ZeroDates } from "../values/zero-dates.ts";
import { isRealDate, momentLiteral } from "./value-comparison.ts";

/** Digits that a decimal may have; what a sum has more is cut to nines. */
const MOST_DIGITS = 65;
/** Digits by which a sum is longer than what is added up: as many as a number of rows has at most. */
const ROW_DIGITS = 15;
/** Longer numbers are added up in two parts, of which the lower one has so many digits before the point. */
const LOW_DIGITS = 20;
const UNIT = `1${"0".repeat(LOW_DIGITS)}`;

/** One row: how many there are (`number`), and of each column what stands under its place: `a0`, `b0`. `rows`: what follows FROM. */
export function totalsSql(
  { table, columns }: Pick<TotalsRequest, "table" | "columns">,
  rows: string,
  zeroDates: ZeroDates,
): string {
  const totals = columns.flatMap(({ ordinal, form }, place) => {
    const column = table.columns[ordinal]!;
    const [a, b] = isSummed(form) ? sumSql(column, form) : rangeSql(column, zeroDates);
    return [`${a} as a${place}`, ...(b === undefined ? [] : [`${b} as b${place}`])];
  });
  return `select ${["count(*) as number", ...totals].join(", ")} from ${rows}`;
}

function rangeSql(column: Column, zeroDates: ZeroDates): readonly [first: string, last: string] {
  const date = dateSql(column, zeroDates);
  return [`min(${date})`, `max(${date})`];
}

/** What is read of a date that no calendar has. */
function dateSql(column: Column, zeroDates: ZeroDates): string {
  const name = identifier(column.name);
  if (keepsZeroDates(column, zeroDates)) return name;
  const other = zeroDates === "epoch" ? momentLiteral(column.type.kind, "1970-01-01") : "null";
  return `if(${isRealDate(name)}, ${name}, ${other})`;
}

/** Of a long number, the digits above the lower ones alone. What is divided by them leaves nothing over. */
function sumSql(column: Column, form: TotalForm): readonly [low: string, high?: string] {
  const value = addendSql(column, form);
  if (digitsOf(column, form) + ROW_DIGITS <= MOST_DIGITS) return [`sum(${value})`];
  const low = `mod(${value}, ${UNIT})`;
  return [`sum(${low})`, `sum(truncate((${value} - ${low}) / ${UNIT}, 0))`];
}

function addendSql({ name, type }: Column, form: TotalForm): string {
  const scale = form.kind === "decimal" ? (form.scale ?? scaleOf(type)) : scaleOf(type);
  return scaleOf(type) > scale ? `round(${identifier(name)}, ${scale})` : identifier(name);
}

function digitsOf({ type }: Column, form: TotalForm): number {
  if (type.kind !== "decimal") return LOW_DIGITS;
  const digits = type.precision ?? MOST_DIGITS;
  const isRounded = form.kind === "decimal" && form.scale !== undefined && form.scale < scaleOf(type);
  // A number that is rounded may get a digit more in front.
  return isRounded ? digits - scaleOf(type) + (form.scale ?? 0) + 1 : digits;
}

function scaleOf(type: Column["type"]): number {
  return type.kind === "decimal" ? (type.scale ?? 0) : 0;
}

/** What totalsSql() has found. */
export function readTotals(
  found: Readonly<Record<string, string | null>>,
  columns: readonly TotalColumn[],
): RowTotals {
  return {
    rows: Number(found["number"]),
    columns: columns.map(({ form }, place): ColumnTotal => {
      const [a = null, b = null] = [found[`a${place}`], found[`b${place}`]];
      if (isSummed(form)) return { kind: "sum", sum: whole(a, b) };
      return { kind: "range", first: withoutZeros(a), last: withoutZeros(b) };
    }),
  };
}

function whole(low: string | null, high: string | null): string | null {
  const sum = new ExactSum();
  sum.add(low);
  sum.add(high === null ? null : `${high}${"0".repeat(LOW_DIGITS)}`);
  return sum.text;
}

/** Zeros at the end of a fraction, which the server shows in the number of digits that the column has. */
function withoutZeros(moment: string | null): string | null {
  return moment?.includes(".") === true ? moment.replace(/\.?0*$/, "") : moment;
}
