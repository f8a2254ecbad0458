import { describedTable, type TablePlan } from "../core/plan.ts";
import type { TableId } from "../core/schema.ts";
import type { SchemaNote } from "../core/schema-note.ts";
import { type FollowedTable, tablesByNumber } from "./plan-alterations.ts";

export interface SortedNotes {
  /** Tables that are others now, those without a note of their own last: they have lost indexes. */
  readonly altered: readonly FollowedTable[];
  readonly dropped: readonly TablePlan[];
}

/** The notes of a transaction by the planned tables that they are about. */
export function sortNotes(tables: readonly TablePlan[], notes: readonly SchemaNote[]): SortedNotes {
  const plans = tablesByNumber(tables);
  const altered: FollowedTable[] = [];
  const dropped: TablePlan[] = [];
  const lost: { readonly owner: TablePlan; readonly name: string }[] = [];
  const settled = new Set<TablePlan>();
  for (const [number, some] of Map.groupBy(notes, ({ shape }) => shape.table)) {
    const from = plans.get(number);
    if (from === undefined) {
      const owner = some[0]!.dropped ? ownerOf(some[0]!.id, tables) : undefined;
      if (owner !== undefined) lost.push({ owner, name: some[0]!.id.name });
      continue;
    }
    settled.add(from);
    if (some.some((note) => note.dropped)) dropped.push(from);
    else altered.push({ from, notes: some, lost: [] });
  }
  for (const [owner, some] of Map.groupBy(lost, (index) => index.owner)) {
    // A note of the table's own tells all of it.
    if (!settled.has(owner)) altered.push({ from: owner, notes: [], lost: some.map(({ name }) => name) });
  }
  return { altered, dropped };
}

/** The table that an index is part of. */
export function ownerOf({ schema, name }: TableId, tables: readonly TablePlan[]): TablePlan | undefined {
  return tables.find(
    (plan) =>
      plan.source.id.schema === schema && describedTable(plan).indexes.some((one) => one.name === name),
  );
}
