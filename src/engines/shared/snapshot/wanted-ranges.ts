import { MigrationError } from "../../../core/error.ts";
import type { ParallelLoad } from "../../../core/plan.ts";
import { type Column, displayTable, type TableSchema } from "../../../core/schema.ts";
import type { Partition } from "../../../core/source.ts";

export type Ranges = ParallelLoad & { readonly type: "ranges" };

/**
 * The ranges that a rule wants. Of columns that are part of the key, and so never NULL, a row stays in its range as long as
 * it is the same row: these are ranges of the key. `boundText`: a value as the engine's own ranges have it.
 */
export function wantedRanges(
  { columns: names, boundaries }: Ranges,
  table: TableSchema,
  boundText: (value: string, column: Column) => string = (value) => value,
): readonly Partition[] {
  const columns = names.map((name) => table.columns.find((column) => column.name === name)!);
  const key = new Set(table.key.map((ordinal) => table.columns[ordinal]!));
  const by = columns.every((column) => key.has(column) && !column.nullable) ? "key" : "range";
  const bounds = boundaries.map((values) => values.map((value, i) => boundText(value, columns[i]!)));
  const estimatedRows = table.estimatedRows < 0 ? -1 : Math.round(table.estimatedRows / (bounds.length + 1));
  return Array.from({ length: bounds.length + 1 }, (_, i) => ({
    ...{ id: String(i), by, columns: names, estimatedRows },
    ...{ from: bounds[i - 1], to: bounds[i] },
  }));
}

/** A range's condition, which says nothing of NULL, with the rows that have NULL in one of its columns. */
export function withNulls(
  condition: string,
  { by, from, columns = [] }: Partition,
  { table, identifier }: { readonly table: TableSchema; readonly identifier: (name: string) => string },
): string {
  if (by !== "range") return condition;
  const nullable = columns.filter((name) => table.columns.some((one) => one.name === name && one.nullable));
  if (nullable.length === 0) return condition;
  if (from !== undefined)
    return [condition, ...nullable.map((name) => `${identifier(name)} is not null`)].join(" and ");
  return `(${[condition, ...nullable.map((name) => `${identifier(name)} is null`)].join(" or ")})`;
}

/** Throws unless the server takes each boundary for less than the next; `ascends` has its answer for each pair. */
export function checkAscending({ id }: TableSchema, { columns }: Ranges, ascends: readonly boolean[]): void {
  const wrong = ascends.indexOf(false);
  if (wrong < 0) return;
  throw new MigrationError("mapping.rule_impossible", {
    message: `Boundary ${wrong + 2} of the ranges of ${columns.join(", ")} is not above the one before it, as the source compares them, or no value of the columns.`,
    subject: displayTable(id),
    table: id,
  });
}
