import type { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable, RecordedErrors } from "../core/journal.ts";
import type { Position } from "../core/position.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { AppliedCounts, AppliedProgress } from "../core/target.ts";
import { CountedChanges } from "../pipeline/counted-changes.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import { LagMeter } from "./lag-meter.ts";
import { LoadMeter } from "./load-meter.ts";
import type { RetryBook } from "./retry-book.ts";
import {
  addApplied,
  addCaptured,
  addPending,
  cutFinding,
  forgetLoaded,
  type KnownTable,
  leftOutFinding,
  newTally,
  notComparable,
  notValidated,
  recordTally,
  restartTally,
  restoreTally,
  type TableTally,
} from "./table-progress.ts";
import type {
  LogProgress,
  ReloadWish,
  TableValidationProgress,
  TaskListener,
  TaskPhase,
  TaskProgress,
} from "./task.ts";
import { ValidationNews } from "./validation-news.ts";

/** Shortest time between two reports of progress; longer for many tables, whose report is large. */
const REPORT_INTERVAL_MS = 250;

/** Collects what the pipeline tells and reports it to the task's listener now and then. */
export class TaskStatistics implements PipelineObserver {
  readonly counted = new CountedChanges();
  readonly #listener: TaskListener;
  readonly #tables = new Map<string, TableTally>();
  readonly #startedMs = Date.now();
  #phase: TaskPhase = "starting";
  readonly #load = new LoadMeter();
  #checkpoint: string | undefined;
  #appliedMs: number | undefined;
  #log: LogProgress | undefined;
  readonly #lag = new LagMeter();
  #caughtUp = false;
  #reportDue: NodeJS.Timeout | undefined;
  readonly #told = new Set<string>();
  /** By table the number of the last wish to load it again. */
  readonly #wishes = new Map<string, number>();
  readonly #retry: RetryBook | undefined;
  readonly #validation: ValidationNews;

  constructor(listener: TaskListener, retry?: RetryBook) {
    this.#listener = listener;
    this.#validation = new ValidationNews({
      log: listener.log.bind(listener),
      finding: (finding) => this.finding(finding),
    });
    this.#retry = retry;
  }

  /** The tables of the task, once known; counts of a table known before are kept. */
  setTables(tables: readonly KnownTable[]): void {
    for (const table of tables) {
      const key = tableKey(table.id);
      this.#load.weigh(table);
      if (!this.#tables.has(key)) this.#tables.set(key, newTally(table, Date.now()));
    }
    this.#changed();
  }

  /** What the target knows of a table when an attempt begins: its journal, and its record of what was left out. */
  restore(journaled: JournaledTable, recorded: RecordedErrors | undefined): void {
    const table = this.#tables.get(tableKey(journaled.id));
    if (table !== undefined) restoreTally(table, journaled, recorded);
  }

  /** What the target has recorded of a table's rows that are left out. */
  recorded(id: TableId, recorded: RecordedErrors | undefined): void {
    const table = this.#tables.get(tableKey(id));
    if (table === undefined) return;
    recordTally(table, recorded);
    this.#touch(table);
  }

  setPhase(phase: TaskPhase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    if (phase === "full-load") this.#load.begins(Date.now());
    if (phase === "catching-up" || phase === "replicating") this.#load.ends(Date.now());
    // What waited in the source's log while tables were loaded says nothing about replication.
    if (phase === "replicating" && !this.#caughtUp) this.#lag.forgetLatencies();
    if (phase === "replicating") this.#caughtUp = true;
    this.report();
  }

  loadEnded(): void {
    this.#load.ends(Date.now());
  }

  setCheckpoint(text: string): void {
    this.#checkpoint = text;
  }

  /** undefined: nothing is kept for the task. */
  setLog(log: LogProgress | undefined): void {
    this.#log = log === undefined ? undefined : { behindBytes: log.behindBytes, keptBytes: log.keptBytes };
    this.#changed();
  }

  /** A table of the task is to be loaded again. */
  reloadAsked(wish: ReloadWish): void {
    if (wish.number !== undefined) this.#wishes.set(tableKey(wish), wish.number);
  }

  /** The journal has it that the table is to be loaded again, which answers all wishes up to now. */
  reloading(id: TableId): void {
    restartTally(this.#table(id));
    this.reloadAnswered(id);
  }

  /** The table is loaded again, or somebody has been told why not. */
  reloadAnswered(id: TableId): void {
    const table = this.#table(id);
    table.reloadAnswered = this.#wishes.get(tableKey(id)) ?? table.reloadAnswered;
    this.#touch(table);
  }

  /** The journal has it that the table is to be compared anew, which answers that wish. */
  revalidationAnswered(id: TableId, number: number | undefined): void {
    const table = this.#table(id);
    table.revalidationAnswered = number ?? table.revalidationAnswered;
    this.#validation.forget(id);
    this.validating(id, { state: "Pending revalidation" });
  }

  /** How the table's validation is; what is left out of the change stays as it is told. */
  validating(id: TableId, change: Partial<TableValidationProgress>): void {
    const table = this.#table(id);
    const validation = { ...(table.validation ?? notValidated), ...change };
    table.validation = table.state === "Table error" ? notComparable(validation) : validation;
    this.#validation.tell(table, this.#tables.values());
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

  valuesCut(id: TableId, count: number): void {
    const table = this.#table(id);
    table.cutValues += count;
    this.#touch(table);
  }

  /** What is to be said of values that were cut off. */
  findings(): readonly Finding[] {
    return [...this.#tables.values()].filter(({ cutValues }) => cutValues > 0).map(cutFinding);
  }

  loadForgotten(id: TableId): void {
    const table = this.#table(id);
    forgetLoaded(table);
    this.#touch(table);
  }

  loadFinished(id: TableId): void {
    const table = this.#table(id);
    table.state = "Table completed";
    table.fullLoadEndMs = Date.now();
    table.fullLoadStartMs ??= table.fullLoadEndMs;
    this.#touch(table);
  }

  /** Nothing is left to be done about the table, of which no row was to come. */
  completed(id: TableId): void {
    const table = this.#table(id);
    table.state = "Table completed";
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
    if (table.validation !== undefined) this.validating(id, {});
    this.#touch(table);
    this.#listener.log("error", "table failed", { table: tableKey(id), code: error.code });
  }

  /** The table on the target was altered as the source's was. */
  altered(id: TableId): void {
    this.#table(id).appliedDdls++;
    this.alteredThere(id);
  }

  /** The source's table was altered. */
  alteredThere(id: TableId): void {
    const table = this.#table(id);
    table.ddls++;
    this.#touch(table);
  }

  /** The table is called otherwise, or is no more. */
  renamed(id: TableId, to: TableId | undefined): void {
    const table = this.#table(id);
    this.#tables.delete(tableKey(id));
    if (to !== undefined) this.#tables.set(tableKey(to), { ...table, id: to });
    this.#changed();
  }

  /** Each finding is told once, however often the task has to start again. */
  finding(finding: Finding): void {
    const text = JSON.stringify([finding.code, finding.subject, finding.message]);
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#listener.finding(finding);
  }

  taken(counts: ReadonlyMap<string, AppliedCounts>): void {
    this.#add(counts, addPending);
  }

  captured(counts: ReadonlyMap<string, AppliedCounts>): void {
    this.#add(counts, addCaptured);
  }

  #add(
    counts: ReadonlyMap<string, AppliedCounts>,
    add: (table: TableTally, count: AppliedCounts) => void,
  ): void {
    for (const [key, count] of counts) {
      const table = this.#tables.get(key);
      if (table !== undefined) add(table, count);
    }
    this.#changed();
  }

  durable(position: Position): void {
    this.#checkpoint = position.text;
    this.#changed();
  }

  applied(progress: AppliedProgress): void {
    const now = Date.now();
    this.#lag.record(progress, now);
    this.#appliedMs = progress.committedAtMs.at(-1) ?? this.#appliedMs;
    for (const [key, count] of progress.tables) {
      const table = this.#tables.get(key);
      if (table === undefined) continue;
      addApplied(table, count);
      table.lastUpdateMs = now;
      this.#passedOver(table, count);
    }
    this.#changed();
  }

  loadLeftOut(id: TableId, { refused, logged }: Pick<AppliedCounts, "refused" | "logged">): void {
    const table = this.#table(id);
    table.fullLoadRows -= refused;
    table.fullLoadErrorRows += refused;
    this.#passedOver(table, { refused, logged });
    this.#touch(table);
  }

  #passedOver({ id }: TableTally, { refused, logged }: Pick<AppliedCounts, "refused" | "logged">): void {
    if (logged > 0)
      this.#listener.log("warn", "rows were passed over", { table: tableKey(id), rows: logged });
    if (refused === 0) return;
    this.finding(leftOutFinding(id));
  }

  snapshot(): TaskProgress {
    const tables = [...this.#tables.values()];
    const share = this.#load.share(tables);
    return {
      phase: this.#phase,
      tables: tables.map((table) => ({ ...table })),
      startedMs: this.#startedMs,
      fullLoadStartMs: this.#load.startMs,
      fullLoadEndMs: this.#load.endMs,
      fullLoadPercent: Math.floor(share * 100),
      fullLoadSecondsLeft: this.#load.secondsLeft(share),
      recoveryCheckpoint: this.#checkpoint,
      appliedMs: this.#appliedMs,
      lag: this.#lag.progress,
      log: this.#log,
      retry: this.#retry?.progress,
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

  #table(id: TableId): TableTally {
    const key = tableKey(id);
    const table = this.#tables.get(key);
    if (table === undefined) throw new Error(`No such table in this task: ${key}`);
    return table;
  }

  #touch(table: TableTally): void {
    table.lastUpdateMs = Date.now();
    this.#changed();
  }

  #changed(): void {
    const interval = Math.max(REPORT_INTERVAL_MS, this.#tables.size / 2);
    this.#reportDue ??= setTimeout(() => this.report(), interval);
  }
}
