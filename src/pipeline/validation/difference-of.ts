import type { RowState } from "./candidate.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { Settled } from "./followed-row.ts";
import type { RowDifference, RowValues } from "./validation-observer.ts";

/** What is told of a row that has been decided to differ. */
export function differenceOf(
  table: ComparedTable,
  { candidate, source, target, columns }: Settled,
  withValues: boolean,
): RowDifference {
  const kind = source.rows === target.rows ? "different" : source.rows > target.rows ? "missing" : "extra";
  return {
    ...{ table: table.plan.source.id, kind },
    rows: Math.abs(source.rows - target.rows) || source.rows,
    key: keyOf(table, candidate.lookup?.source),
    columns: kind === "different" ? columns.map((place) => table.columns[place]!.name) : [],
    ...(withValues ? { values: { source: valuesOf(table, source), target: valuesOf(table, target) } } : {}),
  };
}

function keyOf({ key }: ComparedTable, values: readonly string[] | undefined): RowValues | undefined {
  if (key === undefined || values === undefined) return undefined;
  return Object.fromEntries(key.source.map(({ name }, i) => [name, values[i]!]));
}

function valuesOf({ columns }: ComparedTable, { values }: RowState): RowValues | undefined {
  if (values === undefined) return undefined;
  return Object.fromEntries(columns.map(({ name }, place) => [name, values[place]!]));
}
