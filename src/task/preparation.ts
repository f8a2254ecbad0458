import { MigrationError } from "../core/error.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { tableKey } from "../core/schema.ts";
import type {
  Journal,
  JournaledPartition,
  JournaledTable,
  PlannedTable,
  PrepareMode,
  Target,
} from "../core/target.ts";
import type { TableLoad } from "../pipeline/full-load.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import type { TableErrors } from "../pipeline/table-errors.ts";
import { asWarning, keptObjects } from "./run-objects.ts";

export interface PreparationContext {
  readonly plan: MigrationPlan;
  readonly target: Target;
  readonly journal: Journal;
  readonly mode: PrepareMode;
  readonly errors: TableErrors;
  readonly observer: Pick<PipelineObserver, "finding">;
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
  const isSettled = ({ source: { id } }: TablePlan): boolean => {
    const state = journaled.get(tableKey(id))?.state;
    return state === "ready" || state === "suspended" || errors.isSuspended(id);
  };
  if (plan.tables.every(isSettled)) return [];
  const existing = new Set((await target.existingTables(plan, signal)).map(tableKey));
  const replace = context.mode === "drop-and-create";
  // Once a table is prepared, what is there may be this task's own.
  const isFresh = [...journaled.values()].every(isUntouched);
  if (replace && isFresh) await target.dropObjects(plan, signal);
  const failures = await target.prepareSchema({ plan, replace }, signal);
  for (const failure of failures) context.observer.finding(asWarning(failure));
  const works = plan.tables
    .filter((table) => !errors.isSuspended(table.source.id))
    .flatMap((table) => {
      const exists = existing.has(tableKey(table.target.id));
      return whatToDo({ table, exists, mode: context.mode }, journaled.get(tableKey(table.source.id))) ?? [];
    });
  await journal.planTables(works.flatMap(intent), signal);
  const prepared = new Map<TablePlan, TableLoad>();
  for (const { load, action } of works) if (action !== "prepare") prepared.set(load.plan, load);
  for (const { load, action } of works) {
    if (action === "empty" && !(await isEmptied(load, context))) prepared.delete(load.plan);
  }
  for (const load of await prepareTables(works, context)) prepared.set(load.plan, load);
  await makeStructure(works, context, isFresh);
  const loads = plan.tables.flatMap((table) => prepared.get(table) ?? []);
  await journal.planTables(
    loads.filter((load) => load.partitions === undefined).map((load) => plannedAgain(load, "prepared")),
    signal,
  );
  return loads;
}

/**
 * What the tables made here are parts of, while they are empty, and the functions that their columns may be
 * computed with. A table that was there is left as it is.
 */
async function makeStructure(
  works: readonly TableWork[],
  { plan, target, mode, observer, signal }: PreparationContext,
  isFresh: boolean,
): Promise<void> {
  const made = works.filter(({ action, load }) => action === "prepare" && load.created);
  const parts = new Set(made.map(({ load }) => tableKey(load.plan.target.id)));
  for (const { kind, id } of plan.target.objects) if (kind === "partitioned table") parts.add(tableKey(id));
  const objects = plan.target.objects.filter(
    ({ stage, on }) => stage === "before-rows" && (on === undefined || parts.has(tableKey(on))),
  );
  if (made.length === 0 || objects.length === 0) return;
  // What needs something that is made after the rows is tried again then, and told if it fails.
  const replace = mode === "drop-and-create";
  const outcomes = await target.makeObjects({ objects, replace, replicates: false }, signal);
  if (replace || !isFresh) return;
  const kept = objects.filter((_, i) => outcomes[i] === "kept");
  for (const finding of keptObjects(kept)) observer.finding(finding);
}

/** Refused before anything was done, or about to be prepared. */
function isUntouched({ state, partitions }: JournaledTable): boolean {
  return state === "suspended" || (state === "planned" && partitions.length === 0);
}

interface TableWork {
  readonly load: TableLoad;
  readonly action: "none" | "prepare" | "empty";
}

interface TableSituation {
  readonly table: TablePlan;
  readonly exists: boolean;
  readonly mode: PrepareMode;
}

/** undefined when nothing is left to do. */
function whatToDo(situation: TableSituation, journaled: JournaledTable | undefined): TableWork | undefined {
  const { table, exists, mode } = situation;
  const fresh = { plan: table, keepsRows: false, partitions: undefined };
  if (journaled === undefined) {
    return { load: { ...fresh, created: mode === "drop-and-create" || !exists }, action: "prepare" };
  }
  const { created, keepsRows, partitions, state } = journaled;
  const load = { plan: table, created, keepsRows };
  if (state === "suspended" || state === "ready") return undefined;
  if (state === "loaded") return { load: { ...load, partitions: [] }, action: "none" };
  const again: TableWork = { load: { ...load, partitions: undefined }, action: keepsRows ? "none" : "empty" };
  if (state === "prepared" && exists) return again;
  if (partitions.length === 0) return { load: { ...fresh, created: created || !exists }, action: "prepare" };
  if (mustStartOver(table, partitions)) return again;
  const left = partitions.filter((partition) => !partition.done).map((partition) => partition.partition);
  return { load: { ...load, partitions: left }, action: "none" };
}

/** What is journaled before a table is touched: afterwards nobody could tell who made it. */
function intent({ load, action }: TableWork): readonly PlannedTable[] {
  if (load.partitions !== undefined) return [];
  return [plannedAgain(load, action === "prepare" ? "planned" : "prepared")];
}

function plannedAgain({ plan, created, keepsRows }: TableLoad, state: "planned" | "prepared"): PlannedTable {
  return { id: plan.source.id, created, keepsRows, state, snapshot: undefined, partitions: [] };
}

async function isEmptied(
  { plan }: TableLoad,
  { target, errors, signal }: PreparationContext,
): Promise<boolean> {
  try {
    await target.emptyTable(plan, signal);
    return true;
  } catch (error) {
    await errors.handle(plan.source.id, error, signal);
    return false;
  }
}

async function prepareTables(
  works: readonly TableWork[],
  { plan: migration, target, mode, errors, signal }: PreparationContext,
): Promise<readonly TableLoad[]> {
  const loads = works.filter(({ action }) => action === "prepare").map(({ load }) => load);
  const requests = loads.map(({ plan, created }) => {
    return { migration, plan, mode: created ? ("drop-and-create" as const) : mode };
  });
  const prepared: TableLoad[] = [];
  for (const [i, outcome] of (await target.prepareTables(requests, signal)).entries()) {
    const load = loads[i]!;
    if (outcome instanceof MigrationError) await errors.handle(load.plan.source.id, outcome, signal);
    else prepared.push({ ...load, keepsRows: outcome.keepsRows });
  }
  return prepared;
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

/** From here on the tables count as not loaded, whatever happens. */
export async function markForReload(
  journal: Journal,
  tables: readonly JournaledTable[],
  signal: AbortSignal,
): Promise<void> {
  const planned = tables.map(
    ({ id, created, keepsRows }): PlannedTable => ({
      id,
      created,
      keepsRows,
      state: "prepared",
      snapshot: undefined,
      partitions: [],
    }),
  );
  await journal.planTables(planned, signal);
}

/** Gives what is left of partly loaded tables to a new snapshot. */
export async function adoptSnapshot(
  loads: readonly TableLoad[],
  journal: Journal,
  snapshot: { readonly position: Position | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const begun = loads.filter(({ partitions }) => partitions !== undefined && partitions.length > 0);
  await journal.moveSnapshot(
    begun.map(({ plan }) => plan.source.id),
    snapshot.position,
    snapshot.signal,
  );
}
