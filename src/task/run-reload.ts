import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable } from "../core/journal.ts";
import { readTable, type TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { hasLimits } from "../core/row-errors.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import type { Snapshot, SnapshotRequest } from "../core/source.ts";
import type { TableRules } from "../pipeline/apply-modes.ts";
import type { ChangeApply } from "../pipeline/change-apply.ts";
import { fullLoad } from "../pipeline/full-load.ts";
import { type Attempt, AttemptOutdated } from "./attempt.ts";
import { markForReload, prepareLoads } from "./preparation.ts";
import { finishBuilds, loadContext, preparationContext, tellOfRewritten, tellOfRows } from "./run-load.ts";
import { isAltered } from "./run-schema-changes.ts";
import { waitForWriters } from "./wait-for-writers.ts";

export interface Reload {
  readonly attempt: Attempt;
  readonly apply: ChangeApply;
  readonly rules: TableRules;
  readonly tables: readonly TableId[];
  /** Called as soon as the journal shows what is to be loaded: until then nobody else knows of it. */
  readonly taken: () => void;
}

/**
 * Loads tables again while changes of the others go on.
 *
 *     between two batches      the tables count as not loaded; their changes are held from here on
 *     snapshot taken at S      changes up to S are skipped, later ones wait for the rows
 *     rewritten meanwhile      such a table is read again from another snapshot, which is its S then
 *     rows in                  the gate opens; everything after S is applied as ever
 *     all applied up to S      constraints are built: the others show at least that moment too
 *
 * A crash at any point leaves tables that the journal shows as not loaded: the next attempt loads
 * them before it goes on. A table that is made anew as another one ends the attempt (AttemptOutdated) once its rows
 * are in: its changes are not for an applier that knows the columns of before. So does any where exceptions are limited:
 * the tables have lost theirs, and have got those of the load, of which the applier does not know.
 */
export async function reloadBeside({ attempt, apply, rules, tables, taken }: Reload): Promise<void> {
  const { journal, plan, errors, statistics, signal } = attempt;
  const wanted = new Set(tables.map(tableKey));
  const asked = plan.tables.filter((table) => wanted.has(tableKey(table.source.id)));
  for (const { source: table } of asked) await refuse(attempt, table.id);
  const kept = await keptTables(attempt, wanted);
  const plans = asked.filter(({ source: { id } }) => {
    return !attempt.refused.has(tableKey(id)) && !kept.has(tableKey(id));
  });
  if (plans.length === 0) return taken();
  const positioned = Promise.withResolvers<void>();
  const loaded = Promise.withResolvers<void>();
  // Nobody may be waiting when they fail; whoever waits gives up by the apply's own failure.
  positioned.promise.catch(() => undefined);
  loaded.promise.catch(() => undefined);
  let isRemade = false;
  try {
    await apply.between(async () => {
      for (const { source: table } of plans) {
        rules.hold(table.id, { positioned: positioned.promise, loaded: loaded.promise });
      }
      const due = new Set(plans.map((table) => tableKey(table.source.id)));
      const known = (await journal.tables(signal)).filter((table) => due.has(tableKey(table.id)));
      attempt.validation?.forget(plans.map(({ source }) => source.id));
      isRemade = await markForReload(attempt, known);
      taken();
      for (const { source: table } of plans) {
        errors.readmit(table.id);
        statistics.reloading(table.id);
      }
    });
    let newest: Position | undefined;
    for (let left: readonly TablePlan[] = plans; left.length > 0; ) {
      const read = await readTables({ attempt, rules, plans: left, positioned: positioned.resolve });
      newest = read.newest;
      left = left.filter(({ source: { id } }) => read.outdated.has(tableKey(id)));
    }
    failpoint("load.tables-loaded-again");
    if (isRemade || hasLimits(attempt.settings.rowErrors)) throw new AttemptOutdated();
    for (const { source: table } of plans) rules.release(table.id);
    loaded.resolve();
    await apply.between(() => finishBuilds(attempt, { reload: true }), newest);
    statistics.setPhase("replicating");
  } catch (error) {
    positioned.reject(error);
    loaded.reject(error);
    throw error;
  }
}

interface Reading {
  readonly attempt: Attempt;
  readonly rules: TableRules;
  readonly plans: readonly TablePlan[];
  /** Called as soon as the tables' windows are known. */
  readonly positioned: () => void;
}

/** Reads tables from a snapshot of their own. `outdated`: those that the source has rewritten before they were read. */
async function readTables({ attempt, rules, plans, positioned }: Reading): Promise<{
  readonly newest: Position;
  readonly outdated: ReadonlySet<string>;
}> {
  const tables = plans.map(readTable);
  const request: SnapshotRequest = { ...attempt.streamRequest, tables, anchor: "existing-stream" };
  await using snapshot = await openBeside(attempt, request);
  const oldest = snapshot.position!;
  const { upTo: newest = oldest } = snapshot;
  for (const { id } of tables) rules.setWindow(id, { oldest, newest });
  positioned();
  const loads = await prepareLoads({
    ...preparationContext(attempt),
    ...{ plan: { ...attempt.plan, tables: plans }, migration: attempt.plan },
  });
  const outdated = await fullLoad(loads, loadContext(attempt, snapshot));
  tellOfRows(attempt, snapshot);
  tellOfRewritten(attempt, outdated);
  // One that has lost a column cannot be read as it was planned.
  for (const id of outdated) if (await isAltered(attempt, id)) throw new AttemptOutdated();
  return { newest, outdated: new Set(outdated.map(tableKey)) };
}

/**
 * The snapshot. Changes of its tables wait until it begins, and soon all others behind them: when somebody keeps it from
 * beginning for too long, its tables are set aside, and the next attempt goes on without them.
 */
async function openBeside(attempt: Attempt, request: SnapshotRequest): Promise<Snapshot> {
  const { source, errors, signal } = attempt;
  try {
    return await waitForWriters(attempt, { isNew: false, isLimited: true }, (limited) =>
      source.openSnapshot(request, limited),
    );
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code !== "source.long_transaction") throw error;
    for (const { id } of request.tables) {
      const kept = new MigrationError("source.reload_kept_waiting", {
        message: error.message,
        subject: displayTable(id),
        table: id,
      });
      await errors.handle(id, kept, signal);
    }
    throw new AttemptOutdated();
  }
}

/** Tells of a table that still cannot be moved what stands in the way now. */
async function refuse({ errors, refused, statistics, signal }: Attempt, table: TableId): Promise<void> {
  const error = refused.get(tableKey(table));
  if (error === undefined) return;
  errors.readmit(table);
  await errors.handle(table, error, signal);
  statistics.reloadAnswered(table);
}

/** Tables that stay as they are; says so. */
async function keptTables(
  { journal, statistics, signal }: Attempt,
  wanted: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const table of await journal.tables(signal)) {
    const finding = wanted.has(tableKey(table.id)) ? rowsKept(table) : undefined;
    if (finding === undefined) continue;
    kept.add(tableKey(table.id));
    statistics.finding(finding);
    statistics.reloadAnswered(table.id);
  }
  return kept;
}

/** Why a table cannot be loaded again: that would double rows. Undefined when it can. */
export function rowsKept({ id, keepsRows, partitions }: JournaledTable): Finding | undefined {
  if (!keepsRows || !partitions.some(({ done, rows }) => done && rows > 0)) return undefined;
  return {
    code: "load.rows_kept",
    severity: "error",
    subject: displayTable(id),
    message: `The table ${displayTable(id)} held rows before the task, so it is not loaded again.`,
    remedy: errorTable["load.rows_kept"].remedy,
  };
}
