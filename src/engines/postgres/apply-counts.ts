import type { JournalRequest } from "../../core/journal.ts";
import type { TablePlan } from "../../core/plan.ts";
import { displayTable, tableKey } from "../../core/schema.ts";
import type { AppliedCounts } from "../../core/target.ts";
import { literal, qualified } from "../shared/identifier.ts";
import { EXPECT_WIDTH, Expect } from "./apply-session.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

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

  completed(expectation: number, touched: boolean): void {
    const kind = expectation & (EXPECT_WIDTH - 1);
    if (kind === Expect.done || kind === Expect.query) return;
    const counts = this.#of((expectation - kind) / EXPECT_WIDTH);
    if (!touched && kind <= Expect.delete) {
      counts.conflicts++;
      this.#conflicts.set(expectation, (this.#conflicts.get(expectation) ?? 0) + 1);
      return;
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
      default:
        counts.updates++;
    }
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

  /** Statements that write one row for each conflict; none for none. The rows hold no values. */
  conflictSql(request: JournalRequest): readonly string[] {
    return [...this.#conflicts].map(([expectation, times]) => {
      const kind = expectation & (EXPECT_WIDTH - 1);
      const plan = this.#plans[(expectation - kind) / EXPECT_WIDTH]!;
      const [verb, error] = conflictTexts[kind]!;
      const { schema, name } = plan.target.id;
      const statement = `${verb} ${qualified(plan.target.id)}`;
      const texts = [request.taskId, schema, name].map(literal).join(", ");
      return (
        `insert into ${controlTable(request, "awsdms_apply_exceptions")} ` +
        `("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "ERROR_TIME", "STATEMENT", "ERROR") ` +
        `select ${texts}, ${NOW_SQL}, ${literal(statement)}, ` +
        `${literal(`${error} (${displayTable(plan.source.id)})`)} from pg_catalog.generate_series(1, ${times})`
      );
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
