import type { TablePlan } from "../../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../../core/schema.ts";
import type { Source } from "../../core/source.ts";

/** Nothing but rows is looked at. */
const ROWS_ALONE = {
  ...{ objects: false, rights: false, largeObjects: false },
  ...{ wholeSchemas: undefined, rowsOnly: true },
} as const;

/** What is there of the plan's tables. What is no ordinary table may be one of parts, or of another server, or a view. */
export async function describeTargets(
  target: Source,
  plans: readonly TablePlan[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TableSchema>> {
  const listed = new Set((await target.listTables(signal)).map(tableKey));
  const isListed = (id: TableId): boolean => listed.has(tableKey(id));
  const wanted = plans.map((table) => table.target.id);
  const [tables, views] = [wanted.filter(isListed), wanted.filter((id) => !isListed(id))];
  const catalog = await target.describe({ tables, views, ...ROWS_ALONE }, signal);
  const described = new Map(catalog.tables.map((table) => [tableKey(table.id), table]));
  return new Map(
    plans.flatMap(({ source, target: { id, columns } }) => {
      const table = described.get(tableKey(id));
      if (table === undefined) return [];
      const zeroDated = new Set(
        columns.filter((_, i) => source.columns[i]!.holdsZeroDates).map(({ name }) => name),
      );
      return [[tableKey(id), withZeroDates(table, zeroDated)]];
    }),
  );
}

/** Dates that no calendar has are read as they are where the plan has them come so. */
function withZeroDates(table: TableSchema, names: ReadonlySet<string>): TableSchema {
  if (names.size === 0) return table;
  const columns = table.columns.map((column) =>
    names.has(column.name) ? { ...column, holdsZeroDates: true as const } : column,
  );
  return { ...table, columns };
}
