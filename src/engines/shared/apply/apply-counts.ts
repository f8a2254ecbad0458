import type { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import type { AppliedCounts } from "../../../core/target.ts";
import { rowIncomplete } from "./apply-rows.ts";

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

/** Changes of a table that found no row, or one in their way. */
export interface Conflict {
  readonly plan: TablePlan;
  readonly times: number;
  /** "insert into", "update" or "delete from". */
  readonly verb: string;
  /** An error's code and what it means here. */
  readonly error: string;
}

/** What a change ran into, as awsdms_apply_exceptions tells it. */
const conflictTexts: Readonly<Record<number, readonly [verb: string, error: string]>> = {
  [Expect.insert]: ["insert into", "apply.row_exists: a row with the same key was there"],
  [Expect.update]: ["update", "apply.row_missing: the row was not there"],
  [Expect.delete]: ["delete from", "apply.row_missing: the row was not there"],
};

/** Counts what one target transaction did, table by table of the plan. */
export class ApplyCounts {
  readonly #plans: readonly TablePlan[];
  #tables = new Map<number, AppliedCounts>();
  /** Expectation to how often it found no row, or one in the way. */
  #conflicts = new Map<number, number>();

  constructor(plans: readonly TablePlan[]) {
    this.#plans = plans;
  }

  /** Counts what a command did to so many `rows`; the error of an update that has not found the row that it must. */
  completed(expectation: number, rows: number): MigrationError | undefined {
    const kind = expectation & (EXPECT_WIDTH - 1);
    if (kind === Expect.done || kind === Expect.query) return undefined;
    const table = (expectation - kind) / EXPECT_WIDTH;
    if (rows === 0 && kind === Expect.updateMust) return rowIncomplete(this.#plans[table]!);
    const counts = this.#of(table);
    if (rows === 0 && kind <= Expect.delete) {
      counts.conflicts++;
      this.#conflicts.set(expectation, (this.#conflicts.get(expectation) ?? 0) + 1);
      return undefined;
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

  /** By table key; counting starts over. */
  take(): ReadonlyMap<string, AppliedCounts> {
    const result = new Map<string, AppliedCounts>();
    for (const [table, counts] of this.#tables) result.set(tableKey(this.#plans[table]!.source.id), counts);
    this.#tables = new Map();
    this.#conflicts = new Map();
    return result;
  }

  /** What has been counted as conflicts so far. */
  get conflicts(): readonly Conflict[] {
    return [...this.#conflicts].map(([expectation, times]) => {
      const kind = expectation & (EXPECT_WIDTH - 1);
      const [verb, error] = conflictTexts[kind]!;
      return { plan: this.#plans[(expectation - kind) / EXPECT_WIDTH]!, times, verb, error };
    });
  }

  #of(table: number): AppliedCounts {
    let counts = this.#tables.get(table);
    if (counts === undefined) {
      counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0, conflicts: 0 };
      this.#tables.set(table, counts);
    }
    return counts;
  }
}
