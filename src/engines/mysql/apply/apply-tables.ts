import type { TablePlan } from "../../../core/plan.ts";
import { TableSql } from "./apply-sql.ts";
import type { ApplyTable } from "./apply-table.ts";
import { CascadeSql } from "./cascade-sql.ts";

/** The statements of each plan's table, made when first needed. */
export class ApplyTables {
  readonly #plans: readonly TablePlan[];
  readonly #tables: readonly (ApplyTable | undefined)[];
  readonly #statements: (TableSql | undefined)[] = [];
  readonly #cascades: (CascadeSql | undefined)[] = [];

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

  cascade(plan: number): CascadeSql {
    this.#cascades[plan] ??= new CascadeSql(this.#plans[plan]!, this.#tables[plan]);
    return this.#cascades[plan];
  }

  /** Whether nothing on the target sees single changes of the table, and changes can be taken back. */
  isPlain(plan: number): boolean {
    return this.#tables[plan]?.plain === true;
  }
}
