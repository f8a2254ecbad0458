import { tableKey } from "../core/schema.ts";
import type { LagProgress, TableProgress, TaskProgress } from "../task/task.ts";
import { latency } from "./human.ts";

/** Speeds are those of the last few seconds, so that a stall shows. */
const WINDOW_MS = 5_000;

/** Speeds from a run's progress reports: what is shown as rows/s, MB/s and changes/s. */
export class ProgressRates {
  readonly #tables = new Map<string, SlidingRate>();
  readonly #rows = new SlidingRate();
  readonly #bytes = new SlidingRate();
  readonly #changes = new SlidingRate();

  record(progress: TaskProgress, nowMs: number): void {
    const totals = progressTotals(progress);
    for (const table of progress.tables) {
      if (table.state !== "Full load" && table.state !== "Table is being reloaded") continue;
      const key = tableKey(table.id);
      const rate = this.#tables.get(key) ?? new SlidingRate();
      this.#tables.set(key, rate);
      rate.record(table.fullLoadRows, nowMs);
    }
    this.#rows.record(totals.rows, nowMs);
    this.#bytes.record(totals.bytes, nowMs);
    this.#changes.record(totals.changes, nowMs);
  }

  get rowsPerSecond(): number | undefined {
    return this.#rows.perSecond;
  }

  get bytesPerSecond(): number | undefined {
    return this.#bytes.perSecond;
  }

  get changesPerSecond(): number | undefined {
    return this.#changes.perSecond;
  }

  /** Rows per second: lately while the table loads, over its whole load once that is over. */
  ofTable(table: TableProgress): number | undefined {
    if (table.fullLoadStartMs === undefined) return undefined;
    if (table.fullLoadEndMs === undefined) return this.#tables.get(tableKey(table.id))?.perSecond;
    const milliseconds = table.fullLoadEndMs - table.fullLoadStartMs;
    // A table that an earlier run loaded has no time of its own.
    return milliseconds <= 0 ? undefined : (table.fullLoadRows * 1000) / milliseconds;
  }
}

type LagTexts = Readonly<Record<"current" | "p50" | "p99" | "max", string>>;

/** "85 ms", or "≤ 585 ms" where the source's log tells commits in whole seconds and so lags up to one too long. */
export function lagTexts({ currentMs, p50Ms, p99Ms, maxMs, resolutionMs }: LagProgress): LagTexts {
  const text = (milliseconds: number): string => `${resolutionMs === 1 ? "" : "≤ "}${latency(milliseconds)}`;
  return { current: text(currentMs), p50: text(p50Ms), p99: text(p99Ms), max: text(maxMs) };
}

export interface ProgressTotals {
  readonly rows: number;
  readonly bytes: number;
  /** Rows expected altogether; undefined when no table has an estimate. */
  readonly estimatedRows: number | undefined;
  /** Rows applied from the change stream. */
  readonly changes: number;
  readonly conflicts: number;
  /** Rows and changes that the target has refused and that were passed over. */
  readonly leftOut: number;
  /** Values that came cut off. */
  readonly cutValues: number;
  readonly completed: number;
  readonly loading: number;
  readonly failed: number;
  readonly waiting: number;
}

export function progressTotals(progress: TaskProgress): ProgressTotals {
  const totals = {
    rows: 0,
    bytes: 0,
    changes: 0,
    conflicts: 0,
    leftOut: 0,
    cutValues: 0,
    completed: 0,
    loading: 0,
    failed: 0,
    waiting: 0,
  };
  let estimated = 0;
  let known = false;
  for (const table of progress.tables) {
    totals.rows += table.fullLoadRows;
    totals.bytes += table.fullLoadBytes;
    totals.changes += table.appliedInserts + table.appliedUpdates + table.appliedDeletes;
    totals.conflicts += table.conflicts;
    totals.leftOut += table.fullLoadErrorRows + table.refused;
    totals.cutValues += table.cutValues;
    if (table.state === "Table completed") totals.completed++;
    else if (table.state === "Table error") totals.failed++;
    else if (table.state === "Before load") totals.waiting++;
    else totals.loading++;
    const done = table.state === "Table completed";
    known ||= done || table.estimatedRows >= 0;
    estimated += done ? table.fullLoadRows : Math.max(table.estimatedRows, table.fullLoadRows);
  }
  return { ...totals, estimatedRows: known ? estimated : undefined };
}

/** Growth per second of a counter over the last WINDOW_MS. */
class SlidingRate {
  readonly #samples: { readonly atMs: number; readonly value: number }[] = [];

  record(value: number, atMs: number): void {
    const samples = this.#samples;
    const last = samples.at(-1);
    // A counter that went back was started anew: a table that is loaded again.
    if (last !== undefined && value < last.value) samples.length = 0;
    samples.push({ atMs, value });
    // One sample at or before the window's start is kept, so that the window is always covered.
    while (samples.length > 2 && samples[1]!.atMs <= atMs - WINDOW_MS) samples.shift();
  }

  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 200) return undefined;
    return ((last.value - first.value) * 1000) / (last.atMs - first.atMs);
  }
}
