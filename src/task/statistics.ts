import { LatencyHistogram } from "../base/latency-histogram.ts";
import type { ErrorCode, ErrorRecord, MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { Position } from "../core/position.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { AppliedCounts, AppliedProgress, JournaledTable } from "../core/target.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import type { LagProgress, TableProgress, TaskListener, TaskPhase, TaskProgress } from "./task.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Shortest time between two reports of progress; longer for many tables, whose report is large. */
const REPORT_INTERVAL_MS = 250;

/** Collects what the pipeline tells and reports it to the task's listener now and then. */
export class TaskStatistics implements PipelineObserver {
  readonly #listener: TaskListener;
  readonly #tables = new Map<string, Mutable<TableProgress>>();
  readonly #bytes = new Map<string, number>();
  readonly #startedMs = Date.now();
  #phase: TaskPhase = "starting";
  #loadStartMs: number | undefined;
  #loadEndMs: number | undefined;
  #checkpoint: string | undefined;
  #lag = new LatencyHistogram();
  #transactions = 0;
  #caughtUp = false;
  #lagNowMs = 0;
  #changes = 0;
  #reportDue: NodeJS.Timeout | undefined;
  readonly #told = new Set<string>();

  constructor(listener: TaskListener) {
    this.#listener = listener;
  }

  /** The tables of the task, once known; counts of a table known before are kept. */
  setTables(tables: readonly TableSchema[]): void {
    for (const table of tables) {
      const key = tableKey(table.id);
      this.#bytes.set(key, Math.max(1, table.estimatedBytes));
      if (!this.#tables.has(key)) this.#tables.set(key, newTable(table));
    }
    this.#changed();
  }

  /** What the journal knows of a table from an earlier run. */
  restore(journaled: JournaledTable): void {
    const table = this.#tables.get(tableKey(journaled.id));
    if (table === undefined) return;
    const done = journaled.partitions.filter((partition) => partition.done);
    table.fullLoadRows = done.reduce((sum, partition) => sum + partition.rows, 0);
    const complete = done.length === journaled.partitions.length && journaled.partitions.length > 0;
    if (journaled.state === "suspended") {
      table.state = "Table error";
      table.error ??= recordedError(journaled);
    } else if (complete) table.state = "Table completed";
  }

  setPhase(phase: TaskPhase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    const now = Date.now();
    if (phase === "full-load") this.#loadStartMs ??= now;
    if (phase === "catching-up" || phase === "replicating") this.#loadEndMs ??= now;
    // What waited in the source's log while tables were loaded says nothing about replication.
    if (phase === "replicating" && !this.#caughtUp) this.#lag = new LatencyHistogram();
    if (phase === "replicating") this.#caughtUp = true;
    this.report();
  }

  loadEnded(): void {
    this.#loadEndMs ??= Date.now();
  }

  setCheckpoint(text: string): void {
    this.#checkpoint = text;
  }

  reloading(id: TableId): void {
    const table = this.#table(id);
    Object.assign(table, {
      state: "Table is being reloaded",
      reloaded: true,
      error: undefined,
      fullLoadRows: 0,
      fullLoadBytes: 0,
      fullLoadStartMs: undefined,
      fullLoadEndMs: undefined,
    });
    this.#touch(table);
  }

  loadStarted(id: TableId): void {
    const table = this.#table(id);
    if (table.fullLoadStartMs !== undefined) return;
    table.fullLoadStartMs = Date.now();
    if (table.state !== "Table is being reloaded") table.state = "Full load";
    this.#touch(table);
  }

  loadMoved(id: TableId, rows: number, bytes: number): void {
    const table = this.#table(id);
    table.fullLoadRows += rows;
    table.fullLoadBytes += bytes;
    this.#touch(table);
  }

  loadFinished(id: TableId): void {
    const table = this.#table(id);
    table.state = "Table completed";
    table.fullLoadEndMs = Date.now();
    table.fullLoadStartMs ??= table.fullLoadEndMs;
    this.#touch(table);
  }

  building(id: TableId, subject: string | undefined): void {
    const table = this.#table(id);
    table.activity = subject === undefined ? undefined : `building ${subject}`;
    this.#touch(table);
  }

  tableFailed(id: TableId, error: MigrationError): void {
    const table = this.#table(id);
    table.state = "Table error";
    table.error = error.toJSON();
    this.#touch(table);
    this.#listener.log("error", "table failed", { table: tableKey(id), code: error.code });
  }

  /** Each finding is told once, however often the task has to start again. */
  finding(finding: Finding): void {
    const text = JSON.stringify([finding.code, finding.subject, finding.message]);
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#listener.finding(finding);
  }

  captured(counts: ReadonlyMap<string, AppliedCounts>): void {
    for (const [key, count] of counts) {
      const table = this.#tables.get(key);
      if (table === undefined) continue;
      table.inserts += count.inserts;
      table.updates += count.updates;
      table.deletes += count.deletes;
      table.ddls += count.truncates;
    }
    this.#changed();
  }

  durable(position: Position): void {
    this.#checkpoint = position.text;
    this.#changed();
  }

  applied(progress: AppliedProgress): void {
    const now = Date.now();
    for (const committedAtMs of progress.committedAtMs) {
      this.#lagNowMs = Math.max(0, now - committedAtMs);
      this.#lag.record(this.#lagNowMs);
      this.#transactions++;
    }
    for (const [key, count] of progress.tables) {
      this.#changes += count.inserts + count.updates + count.deletes + count.truncates;
      const table = this.#tables.get(key);
      if (table === undefined) continue;
      table.appliedInserts += count.inserts;
      table.appliedUpdates += count.updates;
      table.appliedDeletes += count.deletes;
      table.appliedDdls += count.truncates;
      table.conflicts += count.conflicts;
      table.lastUpdateMs = now;
    }
    this.#changed();
  }

  snapshot(): TaskProgress {
    const tables = [...this.#tables.values()];
    const share = this.#loadedShare(tables);
    return {
      phase: this.#phase,
      tables: tables.map((table) => ({ ...table })),
      startedMs: this.#startedMs,
      fullLoadStartMs: this.#loadStartMs,
      fullLoadEndMs: this.#loadEndMs,
      fullLoadPercent: Math.floor(share * 100),
      fullLoadSecondsLeft: this.#secondsLeft(share),
      recoveryCheckpoint: this.#checkpoint,
      lag: this.#lagProgress(),
    };
  }

  /** Tells the listener now; also used for changes that must not wait. */
  report(): void {
    clearTimeout(this.#reportDue);
    this.#reportDue = undefined;
    this.#listener.progress(this.snapshot());
  }

  /** Ends reporting; nothing is told afterwards. */
  close(): void {
    clearTimeout(this.#reportDue);
    this.#reportDue = undefined;
  }

  #lagProgress(): LagProgress | undefined {
    if (this.#transactions === 0) return undefined;
    return {
      currentMs: this.#lagNowMs,
      p50Ms: this.#lag.percentile(0.5),
      p99Ms: this.#lag.percentile(0.99),
      maxMs: this.#lag.maxMs,
      transactions: this.#transactions,
      changes: this.#changes,
    };
  }

  /** Share of the full load that is done, 0 to 1, tables weighed by their size. */
  #loadedShare(tables: readonly TableProgress[]): number {
    if (this.#loadEndMs !== undefined) return 1;
    let total = 0;
    let done = 0;
    for (const table of tables) {
      const weight = this.#bytes.get(tableKey(table.id)) ?? 1;
      total += weight;
      done += weight * tableShare(table);
    }
    return total === 0 ? 0 : done / total;
  }

  #secondsLeft(share: number): number | undefined {
    if (this.#loadStartMs === undefined || this.#loadEndMs !== undefined || share < 0.01) return undefined;
    const seconds = (Date.now() - this.#loadStartMs) / 1000;
    return (seconds / share) * (1 - share);
  }

  #table(id: TableId): Mutable<TableProgress> {
    const key = tableKey(id);
    const table = this.#tables.get(key);
    if (table === undefined) throw new Error(`No such table in this task: ${key}`);
    return table;
  }

  #touch(table: Mutable<TableProgress>): void {
    table.lastUpdateMs = Date.now();
    this.#changed();
  }

  #changed(): void {
    const interval = Math.max(REPORT_INTERVAL_MS, this.#tables.size / 2);
    this.#reportDue ??= setTimeout(() => this.report(), interval);
  }
}

/** The journal keeps a reason as `code: message` (see TableErrors). */
function recordedError({ id, reason }: JournaledTable): ErrorRecord {
  const [, code, message] = /^([a-z]+\.[a-z_]+): (.*)$/s.exec(reason ?? "") ?? [];
  const known = code !== undefined && code in errorTable ? (code as ErrorCode) : "load.rejected";
  return {
    code: known,
    message: message ?? "The table was set aside in an earlier run.",
    remedy: errorTable[known].remedy,
    table: id,
  };
}

/** Share of one table's rows that is loaded; an estimate that was too low shows as nearly done. */
function tableShare(table: TableProgress): number {
  if (table.state === "Table completed" || table.state === "Table error") return 1;
  if (table.estimatedRows <= 0) return 0;
  return Math.min(0.99, table.fullLoadRows / table.estimatedRows);
}

function newTable(table: TableSchema): Mutable<TableProgress> {
  return {
    id: table.id,
    state: "Before load",
    activity: undefined,
    error: undefined,
    fullLoadRows: 0,
    fullLoadBytes: 0,
    estimatedRows: table.estimatedRows,
    fullLoadStartMs: undefined,
    fullLoadEndMs: undefined,
    reloaded: false,
    inserts: 0,
    updates: 0,
    deletes: 0,
    ddls: 0,
    appliedInserts: 0,
    appliedUpdates: 0,
    appliedDeletes: 0,
    appliedDdls: 0,
    conflicts: 0,
    lastUpdateMs: Date.now(),
  };
}
