import { failpoint } from "../base/failpoint.ts";
import type { ErrorRecord } from "../core/error.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import { type EarlierRuns, earlierRuns, noRuns, withEarlierRuns } from "./earlier-runs.ts";
import { serviceEvent } from "./events.ts";
import type { Log } from "./log.ts";
import type { TaskRecord, WantedRetry } from "./records.ts";
import { nextTaskStatus, type TaskAction } from "./state.ts";
import type { ServiceEvent, Store } from "./store.ts";
import type { StopReason, TableProgress, TaskOutcome, TaskPhase, TaskProgress } from "./task.ts";
import { checkpointText } from "./task-spec.ts";
import { taskStats } from "./task-stats.ts";
import { goneTables, stillWanted } from "./wanted-reloads.ts";
import { mayPass, WriteQueue } from "./write-queue.ts";

/** Progress is written this often at most; states are written at once. */
const WRITE_EVERY_MS = 1000;

/** So many events wait for a full disk to have space; then the oldest are forgotten. */
const MOST_EVENTS = 1000;

/** Before these the task has moved nothing yet and is shown as starting. */
const startPhases: ReadonlySet<TaskPhase> = new Set(["starting", "assessing"]);
/** From here on a new worker can go on with what the task's journal says. */
const resumablePhases: ReadonlySet<TaskPhase> = new Set([
  "full-load",
  "building",
  "validating",
  "catching-up",
  "replicating",
]);

interface LiveTask {
  /** undefined when nothing is known but how it has ended. */
  progress: TaskProgress | undefined;
  writtenMs: number;
  /** What is written of each table. */
  readonly written: Map<string, string>;
  timer: NodeJS.Timeout | undefined;
  /** How its run has ended, which is not stored yet. */
  end: RunEnd | undefined;
  earlier: EarlierRuns;
}

/**
 * Keeps the stored tasks true to what their workers tell. All that is told is taken in order, one
 * after the other, so that an old progress never overwrites a newer end. While the disk is full it waits for
 * space: tasks go on, and how they are, how they have ended and what has happened is stored later.
 */
export class TaskLedger {
  readonly #store: Store;
  readonly #log: Log;
  readonly #writes: WriteQueue;
  readonly #live = new Map<string, LiveTask>();
  /** Not stored yet, oldest first. */
  #events: readonly ServiceEvent[] = [];

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#writes = new WriteQueue(log);
  }

  /** The progress of a task as far as it is known in memory; more recent than what is stored. */
  liveProgress(arn: string): TaskProgress | undefined {
    return this.#live.get(arn)?.progress;
  }

  /** Whether a task's run has ended and the store does not know it yet. */
  hasEnded(arn: string): boolean {
    return this.#live.get(arn)?.end !== undefined;
  }

  /** A worker is about to run the task. `stored`: its tables as the store has them. */
  begins({ arn, stats }: TaskRecord, stored: readonly TableProgress[]): void {
    const live = this.#liveTask(arn);
    live.earlier = earlierRuns({ stored, stats, last: live.progress });
  }

  progress(arn: string, told: TaskProgress): void {
    const live = this.#liveTask(arn);
    if (live.end !== undefined) return;
    const progress = withEarlierRuns(told, live.earlier);
    const phaseIsNew = live.progress?.phase !== progress.phase;
    live.progress = progress;
    if (phaseIsNew) this.#write(arn, live);
    else this.#writeSoon(arn, live);
  }

  /** The run has ended by itself or on request. */
  finished(arn: string, outcome: TaskOutcome): void {
    this.progress(arn, outcome.progress);
    const action = outcome.state === "failed" ? "broke" : "ended";
    this.#end(arn, { action, stopReason: outcome.stopReason, error: outcome.error, atMs: Date.now() });
  }

  /** The run has ended without a word from its worker. */
  abandoned(arn: string, stopReason: StopReason, error: ErrorRecord | undefined): void {
    this.#end(arn, { action: error === undefined ? "ended" : "broke", stopReason, error, atMs: Date.now() });
  }

  /** Remembers what happened without a change of a record. */
  happened(event: ServiceEvent): void {
    this.#events = [...this.#events, event].slice(-MOST_EVENTS);
    this.#writes.put("events", () => this.#writeEvents());
  }

  /**
   * Stores something beside the tasks in the same order; it is done again until the disk takes it. Of works with
   * one key that wait the last is done.
   */
  inOrder(key: string, work: () => Promise<unknown>): void {
    this.#writes.put(key, work);
  }

  /** Resolves when everything told so far is stored. */
  async settle(): Promise<void> {
    this.#writeLate();
    await this.#writes.settle();
  }

  /** Stores what can be stored now: nobody will be there to try again. */
  async close(): Promise<void> {
    this.#writeLate();
    await this.#writes.close();
  }

  #liveTask(arn: string): LiveTask {
    const known = this.#live.get(arn);
    if (known !== undefined) return known;
    const nothing = { progress: undefined, timer: undefined, end: undefined };
    const live: LiveTask = { ...nothing, writtenMs: 0, written: new Map(), earlier: noRuns };
    this.#live.set(arn, live);
    return live;
  }

  #writeLate(): void {
    for (const [arn, live] of this.#live) if (live.timer !== undefined) this.#write(arn, live);
  }

  #writeSoon(arn: string, live: LiveTask): void {
    const due = Math.max(0, live.writtenMs + WRITE_EVERY_MS - performance.now());
    live.timer ??= setTimeout(() => this.#write(arn, live), due);
  }

  /** As it will be when its turn comes. */
  #write(arn: string, live: LiveTask): void {
    clearTimeout(live.timer);
    live.timer = undefined;
    live.writtenMs = performance.now();
    this.#writes.put(`progress ${arn}`, () => this.#writeProgress(arn, live));
  }

  async #writeProgress(arn: string, live: LiveTask): Promise<void> {
    const { progress } = live;
    if (progress === undefined) return;
    let gone: readonly TableId[] = [];
    await this.#store.update("task", arn, (record) => {
      gone = goneTables(record.reloads, progress);
      return withProgress(record, progress);
    });
    if (gone.length > 0) {
      const tables = gone.map(displayTable);
      this.#log("warn", "tables are gone that were to be loaded again", { task: arn, tables });
    }
    const changed = changedTables(progress, live.written);
    await this.#store.putTableStatistics(
      arn,
      [...changed.values()].map(({ table }) => table),
    );
    for (const [key, { mark }] of changed) live.written.set(key, mark);
    failpoint("service.task-progress-stored");
  }

  /** What is told of an end first is true: whatever follows comes of its not being stored yet. */
  #end(arn: string, end: RunEnd): void {
    const live = this.#liveTask(arn);
    if (live.end !== undefined) return;
    live.end = end;
    this.#write(arn, live);
    this.#writes.put(`end ${arn}`, () => this.#writeEnd(arn, end));
  }

  async #writeEnd(arn: string, end: RunEnd): Promise<void> {
    let isNew = false;
    const change = (task: TaskRecord): TaskRecord => {
      const changed = ended(task, end);
      isNew = changed !== task;
      return changed;
    };
    let record: TaskRecord | undefined;
    try {
      record = await this.#store.update("task", arn, change, (task) => {
        return isNew ? { event: endEvent(task, end.atMs) } : {};
      });
      this.#live.delete(arn);
    } catch (error) {
      if (!mayPass(error)) this.#live.delete(arn);
      throw error;
    }
    if (record === undefined || !isNew) return;
    failpoint("service.task-end-stored");
    const failed = record.status === "failed";
    this.#log(failed ? "error" : "info", failed ? "task failed" : "task stopped", {
      task: record.identifier,
      stopReason: record.stopReason,
      failure: record.failure,
    });
  }

  async #writeEvents(): Promise<void> {
    const events = this.#events;
    await this.#store.addEvents(events);
    // Others may have come meanwhile, and some of these have made room for them.
    const stored = new Set(events);
    this.#events = this.#events.filter((event) => !stored.has(event));
  }
}

interface RunEnd {
  readonly action: TaskAction;
  readonly stopReason: StopReason;
  readonly error: ErrorRecord | undefined;
  readonly atMs: number;
}

/** One text for people: what happened and what to do, with the code to look it up by. */
export function failureText(error: ErrorRecord): string {
  const subject = error.subject === undefined ? "" : ` (${error.subject})`;
  return `${error.code}${subject}: ${error.message} ${error.remedy}`;
}

function endEvent({ status, identifier, failure, stopReason }: TaskRecord, atMs: number): ServiceEvent {
  return status === "failed"
    ? serviceEvent("taskFailed", { identifier, detail: failure, atMs })
    : serviceEvent("taskStopped", { identifier, detail: stopReason, atMs });
}

function ended(record: TaskRecord, end: RunEnd): TaskRecord {
  const status = nextTaskStatus(record.status, end.action);
  if (status === undefined) return record;
  return {
    ...record,
    status,
    stopReason: `Stop Reason ${end.stopReason}`,
    failure: end.error === undefined ? undefined : failureText(end.error),
    run: record.run === undefined ? undefined : { ...record.run, stoppedMs: end.atMs },
  };
}

function withProgress(record: TaskRecord, progress: TaskProgress): TaskRecord {
  const began = startPhases.has(progress.phase) ? undefined : nextTaskStatus(record.status, "began");
  const { run } = record;
  const resumable = resumablePhases.has(progress.phase);
  return {
    ...record,
    status: began ?? record.status,
    run: run !== undefined && resumable ? { ...run, mode: "resume-processing" } : run,
    recoveryCheckpoint:
      progress.recoveryCheckpoint === undefined
        ? record.recoveryCheckpoint
        : checkpointText(progress.recoveryCheckpoint),
    stats: taskStats(progress),
    reloads: stillWanted(record.reloads, progress),
    retry: toldRetry(record, progress),
  };
}

/** What is told of an earlier wish than the last is too late. */
function toldRetry({ retry }: TaskRecord, { retry: progress }: TaskProgress): WantedRetry | undefined {
  return retry === undefined || progress?.number !== retry.wish.number ? retry : { ...retry, progress };
}

interface ChangedTable {
  readonly table: TableProgress;
  /** What to compare with next time. */
  readonly mark: string;
}

/** The tables that differ from what was written last, by key. */
function changedTables(
  progress: TaskProgress,
  written: ReadonlyMap<string, string>,
): ReadonlyMap<string, ChangedTable> {
  const changed = new Map<string, ChangedTable>();
  for (const table of progress.tables) {
    const key = tableKey(table.id);
    const mark = `${table.state} ${table.lastUpdateMs} ${table.fullLoadRows} ${table.appliedInserts} ${table.appliedUpdates} ${table.appliedDeletes} ${JSON.stringify(table.validation)}`;
    if (written.get(key) === mark) continue;
    changed.set(key, { table, mark });
  }
  return changed;
}
