import type { JournaledTable, PlannedTable } from "../core/journal.ts";
import { tableKey } from "../core/schema.ts";
import type { Attempt } from "./attempt.ts";

const NOT_SELECTED = "The selection rules do not take the table any more.";

/**
 * Sets aside the tables with rows still to load that the selection rules do not take any more: others would wait for a
 * load that nobody goes on with (`source.being_loaded`). Those that are taken again are planned anew, unless some of
 * their rows have come; then they wait for a reload.
 */
export async function followSelection({
  settings,
  journal,
  selected,
  refused,
  signal,
}: Attempt): Promise<void> {
  const tables = await journal.tables(signal);
  const isSelected = ({ id }: JournaledTable): boolean => selected.has(tableKey(id));
  const left = tables
    .filter(({ state }) => state === "planned" || state === "prepared")
    .filter((table) => !isSelected(table) && !refused.has(tableKey(table.id)));
  const back = tables
    .filter(({ state, reason }) => state === "suspended" && reason === NOT_SELECTED)
    // In a two-way pair the rows of a load would come back by now.
    .filter(() => !settings.preventsLoops)
    .filter((table) => isSelected(table) && table.partitions.every(({ done }) => !done));
  await journal.setTableStates(
    left.map(({ id }) => id),
    { state: "suspended", reason: NOT_SELECTED },
    signal,
  );
  const planned = back.map(({ id, created, shape }): PlannedTable => {
    return { id, created, shape, snapshot: undefined, partitions: [] };
  });
  await journal.planTables(planned, signal);
}
