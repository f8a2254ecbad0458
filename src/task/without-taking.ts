import type { JournaledTable } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { TargetNames } from "../mapping/target-names.ts";
import type { Attempt } from "./attempt.ts";
import type { FollowedTable } from "./plan-alterations.ts";
import { markForReload } from "./preparation.ts";
import { rowsKept } from "./run-reload.ts";
import { isRenamed, newName, takingNames } from "./taken-names.ts";
import { targetSchema } from "./target-schema.ts";

/**
 * Tables whose new names others have are loaded again, as what has their own names by now; resolves with the rest. A name is
 * also had by what the task has made of a table that is gone, or is set aside.
 */
export async function withoutTaking(
  attempt: Attempt,
  {
    followed,
    dropped,
  }: { readonly followed: readonly FollowedTable[]; readonly dropped: readonly TablePlan[] },
): Promise<readonly FollowedTable[]> {
  const { spec, settings, plan, journal, errors, statistics, signal } = attempt;
  if (spec.type === "cdc" || settings.preventsLoops || !followed.some(isRenamed)) return followed;
  const concerned = new Set([...dropped, ...followed.map(({ from }) => from)]);
  const journaled = await journal.tables(signal);
  const going = plan.tables.filter((table) => !concerned.has(table) && !errors.isSuspended(table.source.id));
  const others = [...going.map(({ source }) => source.id), ...(await leftOnTarget(attempt, journaled))];
  const taking = takingNames(followed, others);
  const again = reloadedWith(attempt, taking, journaled);
  await markForReload(attempt, again);
  for (const { id } of again) statistics.reloading(id);
  const marked = new Set(again.map(({ id }) => tableKey(id)));
  return followed.filter(({ from }) => !marked.has(tableKey(from.source.id)));
}

/**
 * Tables that are gone or set aside, and that the target still has: somebody may have dropped them there. Of those that are
 * planned only what is known by its name alone, which another table may have on the source by now.
 */
async function leftOnTarget(
  { spec, settings, target, plan, errors, signal }: Attempt,
  journaled: readonly JournaledTable[],
): Promise<readonly TableId[]> {
  const planned = new Map(plan.tables.map((table) => [tableKey(table.source.id), table]));
  const isLeft = ({ id, created }: JournaledTable): boolean => {
    const table = planned.get(tableKey(id));
    if (table === undefined) return created;
    return table.source.shape?.unnumbered === true && errors.isSuspended(id);
  };
  const left = journaled.filter(isLeft).map(({ id }) => id);
  if (left.length === 0) return [];
  const names = new TargetNames(parseTableMappings(spec.tableMappings), targetSchema(settings, target));
  const targetId = (id: TableId): TableId => planned.get(tableKey(id))?.target.id ?? names.table(id);
  const there = new Set((await target.existingTables(left.map(targetId), signal)).map(tableKey));
  return left.filter((id) => there.has(tableKey(targetId(id))));
}

/**
 * What is loaded again: the tables that take names, and what is set aside under such a name, of which the source has
 * another table by now. Where tables that are dropped stay on the target, so does that.
 */
function reloadedWith(
  { settings, plan, errors }: Attempt,
  taking: ReadonlySet<FollowedTable>,
  journaled: readonly JournaledTable[],
): readonly JournaledTable[] {
  const planned = new Set(plan.tables.map(({ source }) => tableKey(source.id)));
  const keys = new Set([...taking].map(({ from }) => tableKey(from.source.id)));
  const taken = new Set([...taking].map(newName));
  const isReplaced = (id: TableId): boolean =>
    settings.followsDroppedTables &&
    taken.has(tableKey(id)) &&
    planned.has(tableKey(id)) &&
    errors.isSuspended(id);
  return journaled.filter(
    (table) => (keys.has(tableKey(table.id)) || isReplaced(table.id)) && rowsKept(table) === undefined,
  );
}
