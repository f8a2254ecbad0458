import type { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import { tableKey } from "../../../core/schema.ts";
import type { AppliedCounts } from "../../../core/target.ts";
import { rowIncomplete } from "./apply-rows.ts";
import type { ChangePlace } from "./change-ring.ts";
import { type ConflictKind, RowErrors } from "./row-errors.ts";

/** What the completion of a command means. An expectation is `table * EXPECT_WIDTH + Expect`. */
export const Expect = {
  /** Nothing. */
  done: 0,
  /** A change that counts; when it touched no row it is a conflict. */
  insert: 1,
  update: 2,
  delete: 3,
  /** A change that counts whatever it touched. */
  insertAny: 4,
  updateAny: 5,
  deleteAny: 6,
  /** An update that must touch a row. */
  updateMust: 7,
  /** No change: a statement that somebody waits for. */
  query: 8,
  /** What a foreign key of the source has done by itself: each row counts, and none is right, too. */
  cascadeDelete: 14,
  cascadeUpdate: 15,
} as const;
export type Expect = (typeof Expect)[keyof typeof Expect];
export const EXPECT_WIDTH = 16;

/** A change that is passed over. */
export interface RowException {
  readonly plan: TablePlan;
  readonly place: ChangePlace;
  /** An error's code and what it means here, without values. */
  readonly error: string;
}

/** What an applier does about errors of single rows when nobody says: they are recorded, and a refused row is an error. */
const RECORD_CONFLICTS: RowErrorPolicies = {
  refused: "suspend-table",
  insertPresent: "log",
  updateMissing: "log",
  deleteMissing: "log",
  refusedLimit: { count: 0, action: "log" },
  conflictLimit: { count: 0, action: "log" },
  withValues: false,
};

const conflicts: Readonly<Record<number, readonly [kind: ConflictKind, error: string]>> = {
  [Expect.insert]: ["insertPresent", "apply.row_exists: a row with the same key was there"],
  [Expect.update]: ["updateMissing", "apply.row_missing: the row was not there"],
  [Expect.delete]: ["deleteMissing", "apply.row_missing: the row was not there"],
};

/** Counts what one target transaction did, table by table of the plan, and what of it is passed over. */
export class ApplyCounts {
  readonly errors: RowErrors;
  readonly #plans: readonly TablePlan[];
  #tables = new Map<number, AppliedCounts>();
  #exceptions: RowException[] = [];

  constructor(plans: readonly TablePlan[], errors = new RowErrors(plans, RECORD_CONFLICTS)) {
    this.#plans = plans;
    this.errors = errors;
  }

  /**
   * Counts what a command did to so many `rows`. Returns the error of an update that has not found the row that it
   * must, or of a change that met another row than it may.
   */
  completed(expectation: number, rows: number, place: ChangePlace): MigrationError | undefined {
    const kind = expectation & (EXPECT_WIDTH - 1);
    if (kind === Expect.done || kind === Expect.query) return undefined;
    const table = (expectation - kind) / EXPECT_WIDTH;
    if (rows === 0 && kind === Expect.updateMust) return rowIncomplete(this.#plans[table]!);
    const counts = this.#of(table);
    if (rows === 0 && kind <= Expect.delete) {
      const [conflict, error] = conflicts[kind]!;
      counts.conflicts++;
      this.#exceptions.push({ plan: this.#plans[table]!, place: { ...place }, error });
      const beyond = this.errors.conflict(table, conflict);
      if (this.errors.tells(table, conflict)) counts.logged++;
      return beyond;
    }
    switch (kind) {
      case Expect.insert:
      case Expect.insertAny:
        counts.inserts++;
        break;
      case Expect.delete:
      case Expect.deleteAny:
        counts.deletes++;
        break;
      case Expect.cascadeDelete:
        counts.deletes += rows;
        break;
      case Expect.cascadeUpdate:
        counts.updates += rows;
        break;
      default:
        counts.updates++;
    }
    return undefined;
  }

  /** A change that the target refuses. Returns what that leads to when it may not be passed over. */
  refused(table: number, place: ChangePlace, error: MigrationError): MigrationError | undefined {
    const counts = this.#of(table);
    counts.refused++;
    if (this.errors.policies.refused === "log") counts.logged++;
    this.#exceptions.push({
      plan: this.#plans[table]!,
      place: { ...place },
      error: `${error.code}: ${error.message}`,
    });
    return this.errors.refusal(table, error);
  }

  /** Changes that were applied as their net effect. */
  folded(table: number, changes: Pick<AppliedCounts, "inserts" | "updates" | "deletes">): void {
    const counts = this.#of(table);
    counts.inserts += changes.inserts;
    counts.updates += changes.updates;
    counts.deletes += changes.deletes;
  }

  truncated(table: number): void {
    this.#of(table).truncates++;
  }

  /** The transaction has committed. By table key; counting starts over. */
  take(): ReadonlyMap<string, AppliedCounts> {
    const result = new Map<string, AppliedCounts>();
    for (const [table, counts] of this.#tables) result.set(tableKey(this.#plans[table]!.source.id), counts);
    this.errors.committed();
    this.#clear();
    return result;
  }

  /** What has been counted of the transaction at work, table by table. */
  totals(): readonly Readonly<AppliedCounts>[] {
    return [...this.#tables.values()];
  }

  /** It has been taken back. */
  takenBack(): void {
    this.errors.takenBack();
    this.#clear();
  }

  /** What takes back all that is counted from now on. */
  mark(): () => void {
    const tables = new Map([...this.#tables].map(([table, counts]) => [table, { ...counts }]));
    const exceptions = this.#exceptions.length;
    const takeBack = this.errors.mark();
    return () => {
      this.#tables = tables;
      this.#exceptions.length = exceptions;
      takeBack();
    };
  }

  /** Changes that were passed over since the last call: to be recorded in the transaction at work. */
  takeExceptions(): readonly RowException[] {
    const exceptions = this.#exceptions;
    if (exceptions.length > 0) this.#exceptions = [];
    return exceptions;
  }

  #clear(): void {
    this.#tables = new Map();
    this.#exceptions = [];
  }

  #of(table: number): AppliedCounts {
    let counts = this.#tables.get(table);
    if (counts === undefined) {
      counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0, conflicts: 0, refused: 0, logged: 0 };
      this.#tables.set(table, counts);
    }
    return counts;
  }
}
