import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";

/** Tables of the plan that would be written over while they are read, because both endpoints lead to one database. */
export async function sameTables(
  { source, target }: { readonly source: Source; readonly target: Target },
  plan: MigrationPlan,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (!hasNamesInCommon(plan)) return [];
  const tables = await source.marked((mark) => target.overwritten(mark, plan, signal), signal);
  const [first] = tables;
  if (first === undefined) return [];
  const subject = displayTable(first);
  const others = tables.length === 1 ? "" : `, and ${tables.length - 1} more tables`;
  return [
    {
      ...{ code: "target.same_tables", severity: "error", subject },
      message: `Source and target are one database, and ${subject} would be written over while it is read${others}.`,
      remedy: errorTable["target.same_tables"].remedy,
    },
  ];
}

/** However the databases compare names. */
function hasNamesInCommon({ tables }: MigrationPlan): boolean {
  const written = new Set(tables.map(({ target }) => tableKey(target.id).toLowerCase()));
  return tables.some(({ source }) => written.has(tableKey(source.id).toLowerCase()));
}
