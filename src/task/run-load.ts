import { availableParallelism } from "node:os";
import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import { readTable } from "../core/plan.ts";
import { displayTable, type Sequence, type TableId, tableKey } from "../core/schema.ts";
import type { Snapshot, SnapshotRequest, StreamRequest } from "../core/source.ts";
import { type FullLoadContext, fullLoad } from "../pipeline/full-load.ts";
import { runStage } from "../pipeline/post-load.ts";
import { TableFinisher } from "../pipeline/table-finisher.ts";
import type { TableLoad } from "../pipeline/table-load.ts";
import { type Attempt, AttemptOutdated } from "./attempt.ts";
import { checkLoads, checkLoops } from "./loop-check.ts";
import { adoptSnapshot, type PreparationContext, prepareLoads } from "./preparation.ts";
import { copyLargeObjects } from "./run-large-objects.ts";
import { giveRights, makeObjects } from "./run-objects.ts";
import { noteStart } from "./start-note.ts";
import { ValueFindings } from "./tell-values.ts";
import { waitForWriters } from "./wait-for-writers.ts";

/**
 * Large enough to be worth a COPY of its own, each of which begins with buffers that are new to it; small
 * enough to lose little to a crash.
 */
const PARTITION = { rowsPerPartition: 1_000_000, bytesPerPartition: 128 << 20 };

/** Index builds at once: each may use its server's memory for sorting. */
const BUILDERS = Math.max(2, Math.min(4, availableParallelism()));

/**
 * Loads what the journal does not show as loaded. When it resolves, every table that is not set aside
 * has all its rows, its key and its secondary indexes, and a task that captures changes has its stream.
 */
export async function runLoad(attempt: Attempt): Promise<void> {
  const { settings, statistics, target, journal, errors, signal } = attempt;
  statistics.setPhase("preparing");
  const onPlanned = async (): Promise<void> => {
    if (settings.preventsLoops) await checkLoops(attempt, await journal.tables(signal));
  };
  const loads = await prepareLoads({ ...preparationContext(attempt), onPlanned });
  const toRead = loads.filter((load) => load.partitions === undefined || load.partitions.length > 0);
  const largeObjects = settings.migrateLargeObjects && !(await journal.largeObjects(signal)).done;
  if (toRead.length > 0 || largeObjects) await readTables(attempt, toRead);
  else await ensureStream(attempt);
  const toBuild = loads.filter((load) => !toRead.includes(load));
  if (toBuild.length > 0) {
    statistics.setPhase("building");
    const context = { target, journal, errors, observer: statistics, builders: BUILDERS, signal };
    const finisher = new TableFinisher(context);
    for (const load of toBuild) finisher.add(load);
    await finisher.end();
  }
}

async function readTables(attempt: Attempt, loads: readonly TableLoad[]): Promise<void> {
  const { source, statistics, journal, signal } = attempt;
  const anchor = await snapshotAnchor(attempt);
  const wanted = publishedTables(attempt);
  // A stream that exists lacks at most those that are read now.
  const tables = anchor === "existing-stream" ? loads.map(({ plan }) => readTable(plan)) : wanted.tables;
  const request: SnapshotRequest = { ...wanted, tables, anchor };
  const wait = { isNew: anchor === "new-stream", isLimited: anchor !== "existing-stream" };
  await using snapshot = await waitForWriters(attempt, wait, (limited) =>
    source.openSnapshot(request, limited),
  );
  await checkLoads(attempt);
  if (request.anchor === "new-stream" && snapshot.position !== undefined) {
    await journal.setAppliedPosition(snapshot.position, signal);
  }
  await adoptSnapshot(loads, { journal, snapshot, signal });
  if (snapshot.position === undefined) await tellOfTwoMoments(attempt, loads);
  await noteStart(attempt);
  statistics.setPhase("full-load");
  const outdated = await fullLoad(loads, loadContext(attempt, snapshot));
  tellOfRows(attempt, snapshot);
  if (attempt.settings.migrateLargeObjects) await copyLargeObjects(attempt, snapshot);
  tellOfRewritten(attempt, outdated);
  // The next attempt reads them.
  if (outdated.length > 0) throw new AttemptOutdated();
}

/** Passes on what the snapshot has to say of the rows that were read, and the target of those that it has. */
export function tellOfRows(attempt: Attempt, snapshot: Snapshot): void {
  new ValueFindings(attempt, [snapshot, attempt.target, attempt.statistics]).tellAll();
}

/** Says how many tables are read again: the source has rewritten them, or one scan's rows come once and some are refused. */
export function tellOfRewritten({ listener, screening }: Attempt, outdated: readonly TableId[]): void {
  const refusing = outdated.filter((id) => screening.ofLoad(id)).length;
  const rewritten = outdated.length - refusing;
  if (rewritten > 0) {
    const fields = { tables: rewritten };
    listener.log("info", "tables were rewritten while they were read, reading them again", fields);
  }
  if (refusing > 0) {
    listener.log("info", "the target refuses rows of tables, reading them again", { tables: refusing });
  }
}

/** Without a change stream nothing brings the parts of a table together that were read at two moments. */
async function tellOfTwoMoments(attempt: Attempt, loads: readonly TableLoad[]): Promise<void> {
  const { journal, statistics, signal } = attempt;
  const loading = new Set(loads.map((load) => tableKey(load.plan.source.id)));
  for (const { id, partitions } of await journal.tables(signal)) {
    const done = partitions.filter((partition) => partition.done).length;
    if (!loading.has(tableKey(id)) || done === 0 || done === partitions.length) continue;
    statistics.finding({
      code: "load.two_moments",
      severity: "warning",
      subject: displayTable(id),
      table: id,
      message: `${done} of ${partitions.length} parts of the table were read by an earlier run, the rest is read now.`,
      remedy: errorTable["load.two_moments"].remedy,
    });
  }
}

export function preparationContext(attempt: Attempt): PreparationContext {
  const { settings, statistics, target, plan, journal, errors, signal } = attempt;
  return { plan, target, journal, mode: settings.prepareMode, errors, observer: statistics, signal };
}

export function loadContext(attempt: Attempt, snapshot: Snapshot): FullLoadContext {
  const { settings, statistics, target, journal, journalRequest, errors, signal } = attempt;
  const { rereads, screening } = attempt;
  return {
    ...{ target, journal, journalRequest, snapshot, errors, rereads, screening, signal },
    observer: statistics,
    rowErrors: settings.rowErrors,
    lanes: settings.maxFullLoadSubTasks,
    builders: BUILDERS,
    partitionSize: { ...PARTITION, bytesReadAtOnce: settings.sharedReadLimit },
  };
}

async function snapshotAnchor(attempt: Attempt): Promise<SnapshotRequest["anchor"]> {
  const { spec, source, journal, streamRequest, signal } = attempt;
  if (spec.type === "full-load") return "none";
  const applied = await journal.appliedPosition(signal);
  const exists = (await source.findStream({ ...streamRequest, applied }, signal)) !== undefined;
  if (exists) return "existing-stream";
  if (applied !== undefined) throw streamMissing(attempt);
  return "new-stream";
}

/** A task that captures changes but has nothing to read still needs its stream. */
async function ensureStream(attempt: Attempt): Promise<void> {
  const { spec, source, journal, streamRequest, signal } = attempt;
  if (spec.type === "full-load") return;
  const applied = await journal.appliedPosition(signal);
  const kept = await source.findStream({ ...streamRequest, applied }, signal);
  if (kept !== undefined) return await checkLoads(attempt);
  if (applied !== undefined) throw streamMissing(attempt);
  const request = publishedTables(attempt);
  const position = await waitForWriters(attempt, { isNew: true, isLimited: true }, (limited) =>
    source.createStream(request, limited),
  );
  await checkLoads(attempt);
  await journal.setAppliedPosition(position, signal);
}

/** What a new stream is for: the source may refuse to publish a table that is set aside. */
export function publishedTables({ streamRequest, errors }: Attempt): StreamRequest {
  const tables = streamRequest.tables.filter((table) => !errors.isSuspended(table.id));
  return { ...streamRequest, tables };
}

export function streamMissing(attempt: Attempt): MigrationError {
  return new MigrationError("source.slot_missing", {
    message: "The task's replication slot is gone; changes since it was dropped cannot be read.",
    subject: attempt.spec.name,
  });
}

/**
 * Builds what holds only once all tables show one moment of the source: unique constraints, foreign
 * keys, statistics, and then what names tables: views, functions, triggers. Tables that were there before
 * the task get nothing added. `reload`: the other tables have all that.
 */
export async function finishBuilds(attempt: Attempt, { reload = false } = {}): Promise<void> {
  const { plan, target, journal, errors, statistics, signal } = attempt;
  const loaded = new Map(
    (await journal.tables(signal))
      .filter((table) => table.state === "loaded")
      .map((table) => [tableKey(table.id), table]),
  );
  if (loaded.size === 0) return;
  statistics.setPhase("building");
  const tables = plan.tables.flatMap((table) => {
    const journaled = loaded.get(tableKey(table.source.id));
    return journaled === undefined ? [] : [{ plan: table, created: journaled.created }];
  });
  const context = { target, observer: statistics, errors, builders: BUILDERS, signal };
  const steps = tables.flatMap((table) => (table.created ? target.postLoadSteps(table.plan) : []));
  for (const stage of ["unique", "foreign-key", "analyze"] as const) await runStage(stage, steps, context);
  await copySequences(attempt);
  failpoint("build.sequences-set");
  const whole = tables.filter((table) => table.created && !errors.isSuspended(table.plan.source.id));
  const made = { tables: whole.map((table) => table.plan.target.id), free: !reload };
  await makeObjects(attempt, made);
  failpoint("build.objects-made");
  await giveRights(attempt, made);
  const ready = tables.map(({ plan: table }) => table.source.id).filter((id) => !errors.isSuspended(id));
  await journal.setTableStates(ready, { state: "ready" }, signal);
  failpoint("build.tables-ready");
}

/** Sets the target's sequences to where the source's stand now. */
export async function copySequences(attempt: Attempt): Promise<void> {
  const { plan, source, target, statistics, signal } = attempt;
  if (plan.sequences.length === 0) return;
  const targets = new Map<string, Sequence>(
    plan.sequences.map((pair) => [tableKey(pair.source.id), pair.target]),
  );
  const states = await source.sequenceStates(
    plan.sequences.map((pair) => pair.source.id),
    signal,
  );
  const renamed = states.flatMap((state) => {
    const sequence = targets.get(tableKey(state.id));
    return sequence === undefined ? [] : [{ ...state, id: sequence.id }];
  });
  for (const missing of await target.setSequences(renamed, signal)) {
    statistics.finding({
      code: "target.sequence_missing",
      severity: "warning",
      subject: displayTable(missing),
      message: "The target has no sequence of this name, so its state was not carried over.",
      remedy: "Set the sequence that feeds the table's column on the target before the cutover.",
    });
  }
}
