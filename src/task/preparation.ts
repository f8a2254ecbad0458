import { forEachLimited } from "../base/lanes.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Journal, JournaledPartition, JournaledTable, PrepareMode, Target } from "../core/target.ts";
import type { TableLoad } from "../pipeline/full-load.ts";
import type { TableErrors } from "../pipeline/table-errors.ts";

export interface PreparationContext {
  readonly plan: MigrationPlan;
  readonly target: Target;
  readonly journal: Journal;
  readonly mode: PrepareMode;
  readonly errors: TableErrors;
  /** Tables prepared at once. */
  readonly lanes: number;
  readonly signal: AbortSignal;
}

/**
 * Brings the target to where loading can start or go on, and says what is left to load.
 *
 *     journal says               on the target                 then
 *     nothing                    as before the task            prepare by the task's mode
 *     planned, no partitions     prepared or not               prepare again
 *     prepared                   there, perhaps with rows      empty it
 *     prepared                   never made (it was refused)   prepare
 *     planned, none done         there, empty                  load all partitions
 *     planned, some done         there, those rows             load the rest, or empty it and start over
 *     loaded                     all rows                      build what is missing
 *     ready, suspended           -                             nothing
 *
 * What a table is journaled as comes before what is done to it, so a crash between the two only
 * repeats work.
 */
export async function prepareLoads(context: PreparationContext): Promise<readonly TableLoad[]> {
  const { plan, target, journal, errors, signal } = context;
  const journaled = new Map((await journal.tables(signal)).map((table) => [tableKey(table.id), table]));
  const existing = new Set((await target.existingTables(plan, signal)).map(tableKey));
  await target.prepareSchema(plan, signal);
  const loads = new Map<TablePlan, TableLoad>();
  await forEachLimited(plan.tables, context.lanes, async (table) => {
    const id = table.source.id;
    if (errors.isSuspended(id)) return;
    try {
      const exists = existing.has(tableKey(table.target.id));
      const load = await prepareOne({ ...context, table, exists }, journaled.get(tableKey(id)));
      if (load !== undefined) loads.set(table, load);
    } catch (error) {
      await errors.handle(id, error, signal);
    }
  });
  return plan.tables.flatMap((table) => loads.get(table) ?? []);
}

interface OneTable extends PreparationContext {
  readonly table: TablePlan;
  readonly exists: boolean;
}

async function prepareOne(
  context: OneTable,
  journaled: JournaledTable | undefined,
): Promise<TableLoad | undefined> {
  const { table, mode, exists } = context;
  if (journaled === undefined) return prepareTable(context, mode === "drop-and-create" || !exists);
  const { created, keepsRows, partitions, state } = journaled;
  const load = { plan: table, created, keepsRows };
  if (state === "suspended" || state === "ready") return undefined;
  if (state === "loaded") return { ...load, partitions: [] };
  if (state === "prepared" && exists) return emptied(context, load);
  if (partitions.length === 0) return prepareTable(context, created || !exists);
  const left = partitions.filter((partition) => !partition.done);
  if (mustStartOver(table, partitions)) {
    await markForReload(context.journal, journaled, context.signal);
    return emptied(context, load);
  }
  return { ...load, partitions: left.map((partition) => partition.partition) };
}

/**
 * Rows read at two moments can be brought together by the change stream only where a key tells them
 * apart, and block ranges mean nothing in another snapshot.
 */
function mustStartOver(table: TablePlan, partitions: readonly JournaledPartition[]): boolean {
  const done = partitions.filter((partition) => partition.done).length;
  if (done === partitions.length) return false;
  if (partitions.some(({ partition }) => partition.by === "block")) return true;
  return done > 0 && table.source.key.length === 0;
}

/** Journals what the table is going to be before it is touched: afterwards nobody could tell who made it. */
async function prepareTable(context: OneTable, created: boolean): Promise<TableLoad> {
  const { table, target, journal, mode, signal } = context;
  const planned = { id: table.source.id, created, snapshot: undefined, partitions: [] };
  await journal.planTable(planned, signal);
  const { keepsRows } = await target.prepareTable(
    { migration: context.plan, plan: table, mode: created ? "drop-and-create" : mode },
    signal,
  );
  await journal.planTable({ ...planned, keepsRows, state: "prepared" }, signal);
  return { plan: table, created, keepsRows, partitions: undefined };
}

async function emptied(
  context: OneTable,
  load: { readonly plan: TablePlan; readonly created: boolean; readonly keepsRows: boolean },
): Promise<TableLoad> {
  if (!load.keepsRows) await context.target.emptyTable(load.plan, context.signal);
  return { ...load, partitions: undefined };
}

/** From here on the table counts as not loaded, whatever happens. */
export async function markForReload(
  journal: Journal,
  table: { readonly id: TableId; readonly created: boolean; readonly keepsRows: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { id, created, keepsRows } = table;
  await journal.planTable(
    { id, created, keepsRows, state: "prepared", snapshot: undefined, partitions: [] },
    signal,
  );
}

/** Gives what is left of partly loaded tables to a new snapshot. */
export async function adoptSnapshot(
  loads: readonly TableLoad[],
  journal: Journal,
  snapshot: { readonly position: Position | undefined; readonly signal: AbortSignal },
): Promise<void> {
  for (const { plan, partitions } of loads) {
    if (partitions !== undefined && partitions.length > 0) {
      await journal.moveSnapshot(plan.source.id, snapshot.position, snapshot.signal);
    }
  }
}
