import { Limiter } from "../base/limiter.ts";
import type { Journal } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { ChangeWatch } from "../pipeline/change-apply.ts";
import { keyColumns } from "../pipeline/row-keys.ts";
import { ChangedRows } from "../pipeline/validation/changed-rows.ts";
import type { Attempt } from "./attempt.ts";
import { type BookedTable, newTable, renewed, stateOf, type WholeEnd } from "./booked-table.ts";
import { loadsRows } from "./loads-rows.ts";
import { RevalidationBook } from "./revalidation-book.ts";
import { SeenTables } from "./seen-tables.ts";
import type { TaskStatistics } from "./statistics.ts";
import { ValidationGoal } from "./validation-goal.ts";

/** Rows that are written without a pause, and of which it is not known which, are looked at after so long. */
const UNCALM_MS = 60_000;
/** So long without a change, the rows of a table count as calm. */
const CALM_MS = 3_000;
/** A table that is to be compared whole again is so for a tenth of the time at the most. */
const REST = 10;
/** What is written to the journal for a table that is compared: not for each row that is changed now and then. */
const QUIET_MS = 10_000;

/** What is known of the comparison of a task's tables. It outlives attempts. */
export class ValidationBook {
  readonly changed = new ChangedRows();
  readonly wishes: RevalidationBook;
  /** For a task that only compares. */
  readonly seen = new SeenTables();
  readonly #statistics: Pick<TaskStatistics, "validating">;
  readonly #counts = new Limiter(1);
  #tables = new Map<string, BookedTable>();

  constructor(statistics: Pick<TaskStatistics, "validating" | "revalidationAnswered">) {
    this.wishes = new RevalidationBook(statistics);
    this.#statistics = statistics;
  }

  /**
   * An attempt begins: what the journal has as compared is not compared again, and what the journal has planned anew is. What
   * this process knows beyond that stays true.
   */
  async begin(attempt: Attempt): Promise<void> {
    const { journal, plan, signal } = attempt;
    const failed = await journal.countValidationFailures(signal);
    const journaled = new Map((await journal.tables(signal)).map((table) => [tableKey(table.id), table]));
    const before = this.#tables;
    this.#tables = new Map();
    for (const one of plan.tables) {
      const key = tableKey(one.source.id);
      const there = journaled.get(key);
      const isReady = there === undefined ? !loadsRows(attempt) : there.state === "ready";
      const isCompared = isReady && there?.isCompared === true;
      const known = isReady ? before.get(key) : undefined;
      const isAnother = known !== undefined && !isSameTable(known.plan, one);
      const state = isAnother
        ? renewed(known, "again")
        : (known ?? newTable(isCompared ? undefined : "first"));
      const table: BookedTable = { ...state, plan: one };
      table.isRecorded = isCompared;
      table.failed = failed.get(tableKey(one.target.id)) ?? 0;
      table.compared = undefined;
      table.underWay = 0;
      this.#tables.set(key, table);
      if (table.due !== undefined) this.changed.forget(one.source.id);
      else if (!this.changed.isFollowed(one.source.id)) this.#follow(table);
      this.tell(one.source.id);
    }
    for (const [key, { plan: gone }] of before) {
      if (!this.#tables.has(key)) this.changed.forget(gone.source.id);
    }
  }

  /** What the apply tells of changes before they come: the journal must not have a table as compared that is not. */
  watch({ journal, signal }: Pick<Attempt, "journal" | "signal">): ChangeWatch {
    return (batch, modes) => {
      const changed = this.changed.add(batch, modes);
      if (changed.length === 0) return undefined;
      const recorded = changed.filter((id) => this.#table(id)?.isRecorded === true);
      return recorded.length === 0 ? undefined : this.#unrecord(recorded, journal, signal);
    };
  }

  /** The table is another one, or has other rows: what was found of it does not count. */
  async anew(tables: readonly TableId[], journal: Journal, signal: AbortSignal): Promise<void> {
    this.forget(tables);
    await this.#unrecord(tables, journal, signal);
  }

  /** All rows have gone at once. */
  async emptied(id: TableId, journal: Journal, signal: AbortSignal): Promise<void> {
    this.forget([id], "changes");
    await this.#unrecord([id], journal, signal);
  }

  /** See anew(), where the journal knows. */
  forget(tables: readonly TableId[], due: "again" | "changes" = "again"): void {
    for (const id of tables) {
      const table = this.#table(id);
      if (table === undefined) continue;
      // Who has asked for it waits for it.
      const why = due === "changes" && table.due === "again" ? "again" : due;
      this.#tables.set(tableKey(id), { ...renewed(table, why), plan: table.plan });
      this.changed.forget(id);
      this.tell(id);
    }
  }

  /** Rows have changed of which it is not known which. */
  wholeAgain(id: TableId): void {
    const table = this.#table(id);
    if (table === undefined || table.fault !== undefined) return;
    if (table.compared !== undefined) table.isOutdated = true;
    table.due ??= "changes";
    this.tell(id);
  }

  /** See wholeAgain(), for what the apply tells of nothing more. */
  async changedSomewhere(id: TableId, journal: Journal, signal: AbortSignal): Promise<void> {
    this.wholeAgain(id);
    if (this.#table(id)?.isRecorded === true) await this.#unrecord([id], journal, signal);
  }

  /** Those that are to be compared whole now; `hurries`: they are not waited for to be calm. */
  due(hurries: boolean): readonly TablePlan[] {
    const nowMs = performance.now();
    return [...this.#tables.values()].flatMap(({ plan, due, compared, wholeEndMs, wholeMs }) => {
      if (due === undefined || compared !== undefined) return [];
      if (due !== "changes" || hurries) return [plan];
      const fromMs = wholeEndMs + REST * wholeMs;
      const lastMs = this.changed.lastMs(plan.source.id) ?? 0;
      const isCalm = nowMs - lastMs > CALM_MS || nowMs > fromMs + UNCALM_MS;
      return nowMs > fromMs && isCalm ? [plan] : [];
    });
  }

  /** A whole comparison begins; returns what it is known by. `follows`: all changes from now on are looked at besides. */
  begins(id: TableId, of: number | undefined, { follows }: { readonly follows: boolean }): number {
    const table = this.#table(id)!;
    table.compared = { rows: 0, of };
    table.begun++;
    table.isOutdated = false;
    table.fault = undefined;
    table.lacks = undefined;
    table.failed = 0;
    table.undecided = 0;
    table.suspended.clear();
    if (follows) this.#follow(table);
    this.tell(id);
    return table.generation;
  }

  isCurrent(id: TableId, generation: number): boolean {
    return this.#table(id)?.generation === generation;
  }

  compared(id: TableId, rows: number): void {
    const table = this.#table(id);
    if (table?.compared === undefined) return;
    table.compared = { ...table.compared, rows: table.compared.rows + rows };
    this.tell(id);
  }

  /** The whole comparison has ended; undefined: it has not come to its end. */
  ended(id: TableId, result: WholeEnd | undefined): void {
    const table = this.#table(id);
    if (table?.compared === undefined) return;
    table.compared = undefined;
    if (result !== undefined) {
      table.ended = table.begun;
      table.due = table.isOutdated && result.fault === undefined ? "changes" : undefined;
      table.fault = result.fault;
      table.lacks = result.lacks;
      table.notes = result.notes;
      table.undecided = result.undecided;
      table.wholeMs = result.ms;
      table.wholeEndMs = performance.now();
      if (result.fault !== undefined) this.changed.forget(id);
    }
    this.tell(id);
  }

  /** Rows that have changed are being looked at; returns what the table is known by meanwhile. */
  takes(id: TableId, rows: number): number | undefined {
    const table = this.#table(id);
    if (table === undefined) return undefined;
    table.underWay += rows;
    table.taken += rows;
    this.tell(id);
    return table.generation;
  }

  /** `isDone`: they are decided about, and not put back. `generation`: as takes() has given it. */
  tookUp(id: TableId, rows: number, { isDone, generation }: TookUp): void {
    const table = this.#table(id);
    // Nothing of a table that has begun anew is under way.
    if (table === undefined || table.generation !== generation) return;
    table.underWay -= rows;
    if (isDone) table.done += rows;
    else table.taken -= rows;
    this.tell(id);
  }

  /** What has been found of a row that is known by its key. */
  found(id: TableId, key: string, verdict: "same" | "different" | "undecided"): void {
    const table = this.#table(id);
    if (table === undefined) return;
    if (verdict === "undecided") table.suspended.add(key);
    else table.suspended.delete(key);
  }

  /** Takes note of how many rows the target has recorded as other by now. */
  async countFailures({ journal, signal }: Pick<Attempt, "journal" | "signal">): Promise<void> {
    // In turn: what was asked earlier is not taken note of later.
    await this.#counts.run(async () => {
      const counts = await journal.countValidationFailures(signal);
      for (const table of this.#tables.values()) {
        const failed = counts.get(tableKey(table.plan.target.id)) ?? 0;
        if (failed === table.failed) continue;
        table.failed = failed;
        this.tell(table.plan.source.id);
      }
    });
  }

  /** Whether something was found of the table that may have been a matter of time, or it is being looked at. */
  isUnsettled(id: TableId): boolean {
    const table = this.#table(id);
    if (table === undefined) return false;
    const { fault, lacks, failed, undecided, suspended, underWay, compared } = table;
    return (fault ?? lacks ?? compared) !== undefined || failed + undecided + suspended.size + underWay > 0;
  }

  hasFailures(id: TableId): boolean {
    return (this.#table(id)?.failed ?? 0) > 0;
  }

  /** The validation as a whole cannot go on for now. */
  interrupted(details: string): void {
    for (const { plan, due } of this.#tables.values()) {
      if (due === undefined) continue;
      this.#statistics.validating(plan.source.id, { state: "Error", details });
    }
  }

  /** Tables with rows that wait, none of them under way. */
  waiting(): readonly TablePlan[] {
    return [...this.#tables.values()].flatMap(({ plan, underWay }) =>
      underWay === 0 && this.changed.hasMore(plan.source.id) ? [plan] : [],
    );
  }

  /** Lets the journal have tables as compared that have been quiet for a while. */
  async record({
    journal,
    settings,
    signal,
  }: Pick<Attempt, "journal" | "settings" | "signal">): Promise<void> {
    // A start that leaves nothing out could not tell that this one has.
    if (settings.validation.skipsLobs) return;
    const nowMs = performance.now();
    const quiet = [...this.#tables.values()].filter((table) => {
      const { due, fault, lacks, isRecorded, underWay, undecided, suspended, plan } = table;
      if (isRecorded || due !== undefined || (fault ?? lacks) !== undefined || underWay > 0) return false;
      if (undecided + suspended.size > 0 || this.changed.hasMore(plan.source.id)) return false;
      return nowMs - (this.changed.lastMs(plan.source.id) ?? Number.NEGATIVE_INFINITY) > QUIET_MS;
    });
    if (quiet.length === 0) return;
    // Before it is written: a change that comes meanwhile has it taken back, in this order.
    for (const table of quiet) table.isRecorded = true;
    const ids = quiet.map(({ plan }) => plan.source.id);
    await journal.setCompared(ids, true, signal);
  }

  /** What is to be done before all that is known by now has been compared. */
  goal(): ValidationGoal {
    for (const { plan } of this.#tables.values()) {
      const { id } = plan.source;
      // Of rows that it is not told which they are nobody may have taken notice yet.
      if (this.changed.hasMore(id) && this.changed.pending(id) === 0) this.wholeAgain(id);
    }
    return new ValidationGoal(this.#tables, this.changed);
  }

  /** The same of the comparisons of whole tables alone, of these or of all. */
  wholeGoal(tables: readonly TableId[] | undefined): ValidationGoal {
    return new ValidationGoal(this.#tables, this.changed, {
      wholesOf: new Set(tables?.map(tableKey) ?? this.#tables.keys()),
    });
  }

  tell(id: TableId): void {
    const table = this.#table(id);
    if (table === undefined) return;
    const { due, failed, fault, lacks, notes, undecided, suspended, underWay, compared } = table;
    // Of those that are not known one by one there is one at least.
    const hasOthers = due === "changes" || this.changed.hasMore(id);
    const pending = Math.max(this.changed.pending(id), hasOthers ? 1 : 0) + underWay;
    const progress = { pending, failed, suspended: undecided + suspended.size };
    this.#statistics.validating(id, {
      ...progress,
      state: stateOf(table, progress),
      details: fault ?? lacks ?? notes,
      rowsCompared: compared?.rows,
      rowsToCompare: compared?.of,
    });
  }

  #follow({ plan }: BookedTable): void {
    const columns = keyColumns(plan);
    const key = typeof columns === "string" ? undefined : columns.map(({ ordinal }) => ordinal);
    this.changed.follow(plan.source.id, key);
  }

  async #unrecord(tables: readonly TableId[], journal: Journal, signal: AbortSignal): Promise<void> {
    for (const id of tables) {
      const table = this.#table(id);
      if (table !== undefined) table.isRecorded = false;
    }
    await journal.setCompared(tables, false, signal);
  }

  #table(id: TableId): BookedTable | undefined {
    return this.#tables.get(tableKey(id));
  }
}

export interface TookUp {
  readonly isDone: boolean;
  readonly generation: number | undefined;
}

/** Whether rows of both are named and compared by the same columns. */
function isSameTable(a: TablePlan, b: TablePlan): boolean {
  const text = ({ source, target, rows }: TablePlan): string => {
    const [from, to] = [source, target].map(({ columns }) =>
      columns.map(({ name, nativeType }) => [name, nativeType]),
    );
    return JSON.stringify([from, to, source.key, target.id, rows?.filter]);
  };
  return text(a) === text(b);
}
