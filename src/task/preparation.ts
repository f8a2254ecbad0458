import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import type { Journal, JournaledTable, PlannedTable, SnapshotPlace } from "../core/journal.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import { tableKey } from "../core/schema.ts";
import type { PrepareMode, Target } from "../core/target.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import type { TableErrors } from "../pipeline/table-errors.ts";
import { type TableLoad, uncut } from "../pipeline/table-load.ts";
import type { Attempt } from "./attempt.ts";
import { noteKept, releaseGone, releaseRemade } from "./kept-rights.ts";
import { asWarning, keptObjects } from "./run-objects.ts";
import { intent, isMadeAnew, isUntouched, type TableWork, whatToDo } from "./table-work.ts";

export interface PreparationContext {
  /** With the tables to be prepared. */
  readonly plan: MigrationPlan;
  /** The whole task's, when those are some of its tables; the same as `plan` when left out. */
  readonly migration?: MigrationPlan;
  readonly target: Target;
  readonly journal: Journal;
  readonly mode: PrepareMode;
  readonly errors: TableErrors;
  readonly observer: Pick<PipelineObserver, "finding" | "loadForgotten">;
  /** Called when the journal says what is to be loaded, and no table has been touched; a throw ends it there. */
  readonly onPlanned?: () => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Brings the target to where loading can start or go on, and says what is left to load.
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
  // Once a table is prepared, what is there may be this task's own.
  const isFresh = [...journaled.values()].every(isUntouched);
  const replace = context.mode === "drop-and-create";
  const isDone = plan.tables.every(isSettled);
  if (replace && isFresh && !isDone) {
    await target.dropObjects(plan, signal);
    failpoint("prepare.objects-dropped");
  }
  await noteKept(context, isFresh);
  if (isDone) return [];
  await releaseGone(context);
  const targets = plan.tables.map((table) => table.target.id);
  const existing = new Set((await target.existingTables(targets, signal)).map(tableKey));
  const failures = await target.prepareSchema({ plan, replace, isBegun: !isFresh }, signal);
  failpoint("prepare.schema-made");
  for (const failure of failures) context.observer.finding(asWarning(failure));
  const works = plan.tables
    .filter((table) => !errors.isSuspended(table.source.id))
    .flatMap((table) => {
      const exists = existing.has(tableKey(table.target.id));
      return whatToDo({ table, exists, mode: context.mode }, journaled.get(tableKey(table.source.id))) ?? [];
    });
  await journal.planTables(works.flatMap(intent), signal);
  failpoint("prepare.tables-planned");
  for (const { load } of works) {
    if (load.partitions === undefined) context.observer.loadForgotten(load.plan.source.id);
  }
  await context.onPlanned?.();
  const made = works.filter(({ action, load }) => action === "prepare" && load.created);
  await releaseRemade(
    context,
    made.map(({ load }) => load.plan),
  );
  const prepared = new Map<TablePlan, TableLoad>();
  for (const { load, action } of works) if (action !== "prepare") prepared.set(load.plan, load);
  for (const { load, action } of works) {
    if (action === "empty" && !(await isEmptied(load, context))) prepared.delete(load.plan);
  }
  for (const load of await prepareTables(works, context)) prepared.set(load.plan, load);
  await makeStructure(works, context, isFresh);
  const loads = plan.tables.flatMap((table) => prepared.get(table) ?? []);
  await journal.planTables(
    loads.filter((load) => load.partitions === undefined).map((load) => uncut(load, "prepared")),
    signal,
  );
  failpoint("prepare.tables-prepared");
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
  failpoint("prepare.structure-made");
  if (replace || !isFresh) return;
  const kept = objects.filter((_, i) => outcomes[i] === "kept");
  for (const finding of keptObjects(kept)) observer.finding(finding);
}

async function isEmptied(
  { plan }: TableLoad,
  { target, errors, signal }: PreparationContext,
): Promise<boolean> {
  try {
    await target.emptyTable(plan, signal);
    failpoint("prepare.table-emptied");
    return true;
  } catch (error) {
    await errors.handle(plan.source.id, error, signal);
    return false;
  }
}

async function prepareTables(
  works: readonly TableWork[],
  { plan: some, migration = some, target, mode, errors, signal }: PreparationContext,
): Promise<readonly TableLoad[]> {
  const loads = works.filter(({ action }) => action === "prepare").map(({ load }) => load);
  const requests = loads.map(({ plan, created }) => {
    // Foreign keys of the task's other tables do not keep one from being made anew.
    return {
      migration: created ? migration : some,
      plan,
      mode: created ? ("drop-and-create" as const) : mode,
    };
  });
  const prepared: TableLoad[] = [];
  const outcomes = await target.prepareTables(requests, signal);
  failpoint("prepare.tables-made");
  for (const [i, outcome] of outcomes.entries()) {
    const load = loads[i]!;
    if (outcome instanceof MigrationError) await errors.handle(load.plan.source.id, outcome, signal);
    else prepared.push({ ...load, keepsRows: outcome.keepsRows });
  }
  return prepared;
}

/**
 * From here on the tables count as not loaded, whatever happens. One that was made here like a table that the
 * source has changed since is made anew: then those that refer to it get their foreign keys again. Resolves with
 * whether there is one.
 */
export async function markForReload(
  {
    journal,
    plan,
    validation,
    signal,
  }: Pick<PreparationContext, "journal" | "plan" | "signal"> & Pick<Attempt, "validation">,
  tables: readonly JournaledTable[],
): Promise<boolean> {
  if (tables.length === 0) return false;
  validation?.forget(tables.map(({ id }) => id));
  const plans = new Map(plan.tables.map((table) => [tableKey(table.source.id), table]));
  const planned = tables.map((table): PlannedTable => {
    const { id, created, keepsRows, shape } = table;
    const state = wasNeverPlanned(table) ? "planned" : "prepared";
    const clears = plans.get(tableKey(id))?.target.id;
    return { id, created, keepsRows, state, shape, clears, snapshot: undefined, partitions: [] };
  });
  await journal.planTables(planned, signal);
  failpoint("load.table-marked-again");
  const outdated = tables.filter((table) => isMadeAnew(plans.get(tableKey(table.id)), table));
  if (outdated.length === 0) return false;
  const remade = new Set(outdated.map(({ id }) => tableKey(id)));
  const referring = new Set(
    plan.tables
      .filter(({ source }) => source.foreignKeys.some(({ references }) => remade.has(tableKey(references))))
      .map(({ source }) => tableKey(source.id)),
  );
  const ready = (await journal.tables(signal)).filter(({ state }) => state === "ready");
  const toBuild = ready.filter(({ id }) => referring.has(tableKey(id))).map(({ id }) => id);
  await journal.setTableStates(toBuild, { state: "loaded" }, signal);
  return true;
}

/** It was refused from the start: what the target has of it is not the task's, and may have to stay. */
function wasNeverPlanned({ state, shape, partitions }: JournaledTable): boolean {
  return state === "suspended" && shape === undefined && partitions.length === 0;
}

/** Gives what is left of partly loaded tables to a new snapshot. */
export async function adoptSnapshot(
  loads: readonly TableLoad[],
  {
    journal,
    snapshot,
    signal,
  }: Pick<PreparationContext, "journal" | "signal"> & { readonly snapshot: SnapshotPlace },
): Promise<void> {
  const begun = loads.filter(({ partitions }) => partitions !== undefined && partitions.length > 0);
  await journal.moveSnapshot(
    begun.map(({ plan }) => plan.source.id),
    { position: snapshot.position, upTo: snapshot.upTo },
    signal,
  );
  failpoint("load.snapshot-adopted");
}
