import { asMigrationError, type ErrorRecord } from "../core/error.ts";
import { tableKey } from "../core/schema.ts";
import { recordEvent } from "./events.ts";
import type { Log } from "./log.ts";
import type { TaskRecord, TaskStats } from "./records.ts";
import { nextTaskStatus, type TaskAction } from "./state.ts";
import type { Store } from "./store.ts";
import type { StopReason, TableProgress, TaskOutcome, TaskPhase, TaskProgress } from "./task.ts";
import { checkpointText } from "./task-spec.ts";

/** Progress is written this often at most; states are written at once. */
const WRITE_EVERY_MS = 1000;

/** Before these the task has moved nothing yet and is shown as starting. */
const startPhases: ReadonlySet<TaskPhase> = new Set(["starting", "assessing"]);
/** From here on a new worker can go on with what the task's journal says. */
const resumablePhases: ReadonlySet<TaskPhase> = new Set([
  "full-load",
  "building",
  "catching-up",
  "replicating",
]);

interface LiveTask {
  progress: TaskProgress;
  writtenMs: number;
  /** lastUpdateMs and state of each table as written. */
  readonly written: Map<string, string>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Keeps the stored tasks true to what their workers tell. All that is told is taken in order, one
 * after the other, so that an old progress never overwrites a newer end.
 */
export class TaskLedger {
  readonly #store: Store;
  readonly #log: Log;
  readonly #live = new Map<string, LiveTask>();
  #order: Promise<void> = Promise.resolve();

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** The progress of a task as far as it is known in memory; more recent than what is stored. */
  liveProgress(arn: string): TaskProgress | undefined {
    return this.#live.get(arn)?.progress;
  }

  progress(arn: string, progress: TaskProgress): void {
    const live = this.#live.get(arn);
    const phaseIsNew = live?.progress.phase !== progress.phase;
    if (live === undefined) {
      this.#live.set(arn, { progress, writtenMs: 0, written: new Map(), timer: undefined });
    } else {
      live.progress = progress;
    }
    if (live === undefined || phaseIsNew) this.#write(arn);
    else this.#writeSoon(arn, live);
  }

  /** The run has ended by itself or on request. */
  finished(arn: string, outcome: TaskOutcome): void {
    this.progress(arn, outcome.progress);
    const action = outcome.state === "failed" ? "broke" : "ended";
    this.#end(arn, { action, stopReason: outcome.stopReason, error: outcome.error });
  }

  /** The run has ended without a word from its worker. */
  abandoned(arn: string, stopReason: StopReason, error: ErrorRecord | undefined): void {
    this.#end(arn, { action: error === undefined ? "ended" : "broke", stopReason, error });
  }

  /** Resolves when everything told so far is stored. */
  async settle(): Promise<void> {
    for (const [arn, live] of this.#live) if (live.timer !== undefined) this.#write(arn);
    await this.#order;
  }

  #write(arn: string): void {
    const live = this.#live.get(arn);
    if (live === undefined) return;
    clearTimeout(live.timer);
    live.timer = undefined;
    live.writtenMs = performance.now();
    this.#then(() => this.#store.update("task", arn, (record) => withProgress(record, live.progress)));
    this.#then(() => this.#store.putTableStatistics(arn, changedTables(live)));
  }

  #writeSoon(arn: string, live: LiveTask): void {
    const due = Math.max(0, live.writtenMs + WRITE_EVERY_MS - performance.now());
    live.timer ??= setTimeout(() => this.#write(arn), due);
  }

  #end(arn: string, end: RunEnd): void {
    this.#write(arn);
    this.#live.delete(arn);
    this.#then(async () => {
      const record = await this.#store.update("task", arn, (task) => ended(task, end));
      if (record === undefined) return;
      const failed = record.status === "failed";
      const detail = failed ? record.failure : record.stopReason;
      await recordEvent(this.#store, failed ? "taskFailed" : "taskStopped", {
        identifier: record.identifier,
        detail,
      });
      this.#log(failed ? "error" : "info", failed ? "task failed" : "task stopped", {
        task: record.identifier,
        stopReason: record.stopReason,
        failure: record.failure,
      });
    });
  }

  #then(work: () => Promise<unknown>): void {
    this.#order = this.#order.then(work).then(
      () => undefined,
      (error: unknown) =>
        this.#log("error", "task state not stored", { error: asMigrationError(error).toJSON() }),
    );
  }
}

interface RunEnd {
  readonly action: TaskAction;
  readonly stopReason: StopReason;
  readonly error: ErrorRecord | undefined;
}

/** One text for people: what happened and what to do, with the code to look it up by. */
export function failureText(error: ErrorRecord): string {
  const subject = error.subject === undefined ? "" : ` (${error.subject})`;
  return `${error.code}${subject}: ${error.message} ${error.remedy}`;
}

function ended(record: TaskRecord, end: RunEnd): TaskRecord {
  const status = nextTaskStatus(record.status, end.action);
  if (status === undefined) return record;
  return {
    ...record,
    status,
    stopReason: `Stop Reason ${end.stopReason}`,
    failure: end.error === undefined ? undefined : failureText(end.error),
    run: record.run === undefined ? undefined : { ...record.run, stoppedMs: Date.now() },
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
  };
}

export function taskStats(progress: TaskProgress): TaskStats {
  const counts = { loaded: 0, loading: 0, queued: 0, errored: 0 };
  for (const table of progress.tables) counts[columnOf[table.state]]++;
  return {
    fullLoadPercent: Math.floor(progress.fullLoadPercent),
    tablesLoaded: counts.loaded,
    tablesLoading: counts.loading,
    tablesQueued: counts.queued,
    tablesErrored: counts.errored,
    fullLoadStartMs: progress.fullLoadStartMs,
    fullLoadEndMs: progress.fullLoadEndMs,
  };
}

const columnOf = {
  "Before load": "queued",
  "Full load": "loading",
  "Table is being reloaded": "loading",
  "Table completed": "loaded",
  "Table error": "errored",
} as const;

/** The tables that differ from what was written last; notes them as written. */
function changedTables(live: LiveTask): TableProgress[] {
  const changed: TableProgress[] = [];
  for (const table of live.progress.tables) {
    const key = tableKey(table.id);
    const mark = `${table.state} ${table.lastUpdateMs} ${table.fullLoadRows} ${table.appliedInserts} ${table.appliedUpdates} ${table.appliedDeletes}`;
    if (live.written.get(key) === mark) continue;
    live.written.set(key, mark);
    changed.push(table);
  }
  return changed;
}
