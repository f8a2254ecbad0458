import { type ColumnTotal, isSummed, type RowTotals, type TotalsRequest } from "../../../core/row-totals.ts";
import type { Column } from "../../../core/schema.ts";
import { identifier } from "../../shared/identifier.ts";
import { ownRowsSql } from "../catalog/own-rows.ts";

/** One row: how many there are, and for each column its sum, or its first and last value. `conditions`: for the rows that count. */
export function totalsSql(
  { table, columns }: Pick<TotalsRequest, "table" | "columns">,
  conditions: readonly string[],
): string {
  const totals = columns.flatMap(({ ordinal, form }) => {
    const column = table.columns[ordinal]!;
    const name = identifier(column.name);
    if (!isSummed(form)) return [`min(${name})`, `max(${name})`];
    return [`sum(${addendSql(column, form.kind === "decimal" ? form.scale : 0)})`];
  });
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  return `select ${["count(*)", ...totals].join(", ")} from ${ownRowsSql(table)}${where}`;
}

/** An oid is a number that is not added up. */
function addendSql({ name, type }: Column, scale: number | undefined): string {
  if (type.kind === "int") return type.unsigned ? `${identifier(name)}::bigint` : identifier(name);
  if (type.kind !== "decimal" || scale === undefined) return identifier(name);
  const isThatLong = type.precision !== undefined && Math.max(0, type.scale ?? 0) === scale;
  return isThatLong ? identifier(name) : `round(${identifier(name)}, ${scale})`;
}

/** What totalsSql() has found. */
export function readTotals(values: readonly (string | null)[], columns: TotalsRequest["columns"]): RowTotals {
  const rest = values.slice(1).values();
  const next = (): string | null => rest.next().value ?? null;
  return {
    rows: Number(values[0]),
    columns: columns.map(({ form }): ColumnTotal => {
      if (isSummed(form)) return { kind: "sum", sum: next() };
      const first = next();
      return { kind: "range", first, last: next() };
    }),
  };
}
