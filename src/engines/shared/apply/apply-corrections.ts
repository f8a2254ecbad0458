import { type ChangeBatch, Op } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import { isComplete } from "./apply-rows.ts";

/** Changes that are applied so that they cannot miss their row: a policy says that it is made what the source has. */
export class Corrections {
  readonly #plans: readonly TablePlan[];
  readonly #overwrites: boolean;
  readonly #inserts: boolean;

  private constructor(plans: readonly TablePlan[], policies: RowErrorPolicies) {
    this.#plans = plans;
    this.#overwrites = policies.insertPresent === "overwrite";
    this.#inserts = policies.updateMissing === "insert";
  }

  /** Undefined when no policy asks for any. */
  static for(plans: readonly TablePlan[], policies: RowErrorPolicies): Corrections | undefined {
    const corrections = new Corrections(plans, policies);
    return corrections.#overwrites || corrections.#inserts ? corrections : undefined;
  }

  /** Whether an op is applied as ApplyMode.converge says. Without a key a row that is there cannot be told from one like it. */
  takes(plan: number, { ops, cells }: ChangeBatch, at: number): boolean {
    const table = this.#plans[plan]!;
    if (table.source.key.length === 0) return false;
    if (ops[at] === Op.insert) return this.#overwrites;
    // What the source has not sent of a row cannot be inserted.
    return this.#inserts && ops[at] === Op.update && isComplete(table, cells, ops[at + 3]!);
  }
}
