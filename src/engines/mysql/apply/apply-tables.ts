import type { TablePlan } from "../../../core/plan.ts";
import { TableSql } from "./apply-sql.ts";
import type { ApplyTable } from "./apply-table.ts";

/** The statements of each plan's table, made when first needed. */
export class ApplyTables {
  readonly #plans: readonly TablePlan[];
  readonly #tables: readonly (ApplyTable | undefined)[];
  readonly #statements: (TableSql | undefined)[] = [];

  /** `tables`: what stands on the target, in the order of the plans. */
  constructor(plans: readonly TablePlan[], tables: readonly (ApplyTable | undefined)[]) {
    this.#plans = plans;
    this.#tables = tables;
  }

  of(plan: number): TableSql {
    let sql = this.#statements[plan];
    if (sql === undefined) {
      sql = new TableSql(this.#plans[plan]!, this.#tables[plan]);
      this.#statements[plan] = sql;
    }
    return sql;
  }

  /** Whether nothing on the target sees single changes of the table, and changes can be taken back. */
  isPlain(plan: number): boolean {
    return this.#tables[plan]?.plain === true;
  }
}
