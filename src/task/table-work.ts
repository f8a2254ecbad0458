import type { JournaledPartition, JournaledTable, PlannedTable } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import { holdsInAnySnapshot } from "../core/source.ts";
import type { PrepareMode } from "../core/target.ts";
import { type TableLoad, uncut } from "../pipeline/table-load.ts";
import { servesFor } from "./schema-changes.ts";

/** About to be prepared: nothing tells whether it has been. */
export function awaitsPreparation({ state, partitions }: JournaledTable): boolean {
  return state === "planned" && partitions.length === 0;
}

/** Refused before anything was done, or about to be prepared. */
export function isUntouched({ state, partitions }: JournaledTable): boolean {
  return partitions.length === 0 && (state === "suspended" || state === "planned");
}

/** What is to be done to a table before it is loaded, or its load goes on. */
export interface TableWork {
  readonly load: TableLoad;
  readonly action: "none" | "prepare" | "empty";
}

export interface TableSituation {
  readonly table: TablePlan;
  readonly exists: boolean;
  readonly mode: PrepareMode;
}

/**
 * What is left to do for a table; undefined when nothing is.
 *
 *     journal says               on the target                 then
 *     nothing                    as before the task            prepare by the task's mode
 *     planned, no partitions     prepared or not               prepare again
 *     prepared                   there, perhaps with rows      empty it
 *     prepared, other columns    there, made by the task       prepare
 *     prepared                   never made (it was refused)   prepare
 *     planned, none done         there, empty                  load all partitions
 *     planned, some done         there, those rows             load the rest, or empty it and start over
 *     loaded                     all rows                      build what is missing
 *     ready, suspended           -                             nothing
 */
export function whatToDo(
  situation: TableSituation,
  journaled: JournaledTable | undefined,
): TableWork | undefined {
  const { table, exists, mode } = situation;
  const fresh = { plan: table, keepsRows: false, partitions: undefined, interrupted: false };
  if (journaled === undefined) {
    return { load: { ...fresh, created: mode === "drop-and-create" || !exists }, action: "prepare" };
  }
  const { created, keepsRows, partitions, state } = journaled;
  const load = { plan: table, created, keepsRows, interrupted: partitions.length > 0 };
  if (state === "suspended" || state === "ready") return undefined;
  if (state === "loaded") return { load: { ...load, partitions: [] }, action: "none" };
  const again: TableWork = { load: { ...load, partitions: undefined }, action: keepsRows ? "none" : "empty" };
  if (state === "prepared" && exists && !isMadeAnew(table, journaled)) return again;
  if (partitions.length === 0) return { load: { ...fresh, created: created || !exists }, action: "prepare" };
  if (mustStartOver(table, partitions)) return again;
  const left = partitions.filter((partition) => !partition.done).map((partition) => partition.partition);
  return { load: { ...load, partitions: left }, action: "none" };
}

/** Tideway has made a table like one that the source has changed since: rows do not fit into it any more. */
export function isMadeAnew(table: TablePlan | undefined, { created, shape }: JournaledTable): boolean {
  const now = table?.source.shape;
  return created && shape !== undefined && now !== undefined && !servesFor(shape, now);
}

/** What is journaled before a table is touched: afterwards nobody could tell who made it. */
export function intent({ load, action }: TableWork): readonly PlannedTable[] {
  if (load.partitions !== undefined) return [];
  return [uncut(load, action === "prepare" ? "planned" : "prepared")];
}

/**
 * Rows read at two moments can be brought together by the change stream only where a key tells them
 * apart, and some partitions mean nothing in another snapshot.
 */
function mustStartOver(table: TablePlan, partitions: readonly JournaledPartition[]): boolean {
  const done = partitions.filter((partition) => partition.done).length;
  if (done === partitions.length) return false;
  if (!partitions.every(({ partition }) => holdsInAnySnapshot(partition))) return true;
  return done > 0 && table.source.key.length === 0;
}
