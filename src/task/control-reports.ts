import type { HistorySlot, Journal, ReportedWork, TaskStatus } from "../core/journal.ts";
import type { TaskSettings } from "./settings.ts";
import type { TaskStatistics } from "./statistics.ts";
import type { TaskProgress } from "./task.ts";

/** How often the status is written. */
const STATUS_MS = 5_000;

export interface ReportedTask {
  readonly settings: Pick<TaskSettings, "optionalTables" | "historySlotMinutes">;
  readonly statistics: Pick<TaskStatistics, "snapshot">;
  readonly journal: Pick<Journal, "report">;
  readonly signal: AbortSignal;
}

/** Counts of a task so far. */
interface Totals {
  readonly rows: number;
  readonly bytes: number;
  readonly applied: number;
}

/**
 * Until disposed, writes how the task is into the control tables that its settings ask for, over the journal's own
 * session: rows and changes wait for none of it. Each kind of work has slots of its own, which begin when it does.
 */
export function reportToTarget(task: ReportedTask): AsyncDisposable {
  const { optionalTables } = task.settings;
  const tellsStatus = optionalTables.includes("awsdms_status");
  const tellsHistory = optionalTables.includes("awsdms_history");
  if (!tellsStatus && !tellsHistory) return { async [Symbol.asyncDispose]() {} };
  const slots = new HistorySlots(task.settings.historySlotMinutes);
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;
  const write = async ({ ends }: { readonly ends: boolean }): Promise<void> => {
    const progress = task.statistics.snapshot();
    const work = ends ? "NOT RUNNING" : workOf(progress);
    const nowMs = Date.now();
    // What has come up to the end is of the work at the end, whenever that was begun.
    const atEnd = ends ? slots.take(progress, nowMs, workOf(progress)) : [];
    const due = [...atEnd, ...slots.take(progress, nowMs, work)];
    await task.journal.report(
      {
        ...(tellsStatus ? { status: statusOf(progress, work) } : {}),
        ...(tellsHistory ? { slots: due } : {}),
      },
      task.signal,
    );
  };
  const tick = (): void => {
    // A target that does not answer is not asked again; whoever writes rows there meets the same error.
    if (isWriting) return;
    isWriting = true;
    writing = write({ ends: false })
      .catch(() => undefined)
      .finally(() => {
        isWriting = false;
      });
  };
  tick();
  const timer = setInterval(tick, STATUS_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await writing;
      if (!task.signal.aborted) await write({ ends: true }).catch(() => undefined);
    },
  };
}

function workOf({ phase }: TaskProgress): ReportedWork {
  return phase === "replicating" || phase === "catching-up" || phase === "stopping"
    ? "CHANGE PROCESSING"
    : "FULL LOAD";
}

function statusOf(progress: TaskProgress, work: ReportedWork): TaskStatus {
  const { tables, recoveryCheckpoint: checkpoint, appliedMs } = progress;
  const pending = tables.reduce((sum, { pendingChanges }) => sum + Math.max(0, pendingChanges), 0);
  const memoryMb = process.memoryUsage.rss() / 2 ** 20;
  return { work, atMs: Date.now(), pendingChanges: pending, memoryMb, checkpoint, appliedMs };
}

function totalsOf({ tables, lag }: TaskProgress): Totals {
  return {
    rows: tables.reduce((sum, table) => sum + table.fullLoadRows, 0),
    bytes: tables.reduce((sum, table) => sum + table.fullLoadBytes, 0),
    applied: lag?.changes ?? 0,
  };
}

interface OpenSlot {
  readonly work: ReportedWork;
  readonly endMs: number;
  readonly before: Totals;
}

/** Cuts the time of a task into slots of one kind of work. */
export class HistorySlots {
  readonly #minutes: number;
  #open: OpenSlot | undefined;
  /** When it was last looked at. */
  #last: Totals | undefined;

  constructor(minutes: number) {
    this.#minutes = Math.max(1, minutes);
  }

  /** The slots that are to be written now: those that have ended, and the one at work as it is so far. */
  take(progress: TaskProgress, nowMs: number, work: ReportedWork): readonly HistorySlot[] {
    const totals = totalsOf(progress);
    const slots: HistorySlot[] = [];
    const open = this.#open;
    if (open !== undefined) slots.push(this.#slot(open, totals, progress));
    if (open === undefined || open.work !== work || nowMs >= open.endMs) {
      const endMs = nowMs + this.#minutes * 60_000;
      // Each kind of work has counts of its own: what came since the last look is all of the kind that begins.
      const before = open?.work === work ? totals : (this.#last ?? totals);
      this.#open = work === "NOT RUNNING" ? undefined : { work, endMs, before };
    }
    this.#last = totals;
    return slots;
  }

  #slot({ work, endMs, before }: OpenSlot, totals: Totals, { lag }: TaskProgress): HistorySlot {
    const isLoad = work === "FULL LOAD";
    return {
      ...{ work, endMs, minutes: this.#minutes },
      latencyS: isLoad ? undefined : (lag?.currentMs ?? 0) / 1000,
      records: Math.max(0, isLoad ? totals.rows - before.rows : totals.applied - before.applied),
      volumeMb: isLoad ? Math.max(0, totals.bytes - before.bytes) / 2 ** 20 : undefined,
    };
  }
}
