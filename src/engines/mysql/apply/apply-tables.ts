import type { TablePlan } from "../../../core/plan.ts";
import type { OutOfRange } from "../values/out-of-range.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { TableSql } from "./apply-sql.ts";
import type { ApplyTable } from "./apply-table.ts";
import { CascadeSql } from "./cascade-sql.ts";

/** The statements of each plan's table, made when first needed. */
export class ApplyTables {
  readonly #plans: readonly TablePlan[];
  readonly #tables: readonly (ApplyTable | undefined)[];
  readonly #choices: OutOfRange;
  /** Values may come as others. */
  readonly #replaces: boolean;
  readonly #statements: (TableSql | undefined)[] = [];
  readonly #cascades: (CascadeSql | undefined)[] = [];

  /** `tables`: what stands on the target, in the order of the plans. */
  constructor(plans: readonly TablePlan[], tables: readonly (ApplyTable | undefined)[], choices: OutOfRange) {
    this.#plans = plans;
    this.#tables = tables;
    this.#choices = choices;
    this.#replaces = choices.numbers !== "error" || choices.dates !== "error";
  }

  of(plan: number): TableSql {
    let sql = this.#statements[plan];
    if (sql === undefined) {
      sql = new TableSql(this.#plans[plan]!, this.#tables[plan], this.#choices);
      this.#statements[plan] = sql;
    }
    return sql;
  }

  cascade(plan: number): CascadeSql {
    this.#cascades[plan] ??= new CascadeSql(this.#plans[plan]!, this.#tables[plan]);
    return this.#cascades[plan];
  }

  /** How many values of rows that were written have come as others, table by table. */
  get replaced(): readonly number[] {
    if (!this.#replaces) return [];
    return Array.from(this.#statements, (sql) => sql?.replaced ?? 0);
  }

  /** What was written since then is taken back. */
  setBack(replaced: readonly number[]): void {
    for (const [plan, sql] of this.#statements.entries()) {
      if (sql !== undefined) sql.replaced = replaced[plan] ?? 0;
    }
  }

  /** What was written has committed: it counts, and counting starts over. */
  count(counts: ValueCounts): void {
    if (!this.#replaces) return;
    for (const [plan, replaced] of this.replaced.entries())
      counts.add(this.#plans[plan]!.source.id, replaced);
    this.setBack([]);
  }

  /** Whether nothing on the target sees single changes of the table, and changes can be taken back. */
  isPlain(plan: number): boolean {
    return this.#tables[plan]?.plain === true;
  }
}
