import { Limiter } from "../base/limiter.ts";
import type { TablePlan } from "../core/plan.ts";
import { tableKey } from "../core/schema.ts";
import type { Snapshot, Source } from "../core/source.ts";
import type { Candidate } from "../pipeline/validation/candidate.ts";
import { KeyedRows } from "../pipeline/validation/compare-keys.ts";
import { compareTable } from "../pipeline/validation/compared-table.ts";
import { describeTargets } from "../pipeline/validation/target-tables.ts";
import type { Attempt } from "./attempt.ts";

/** Compares rows that have just been brought, while nothing else is: what the target has now with what the source had then. */
export class RepairedRows implements AsyncDisposable {
  readonly #attempt: Attempt;
  #target: Source | undefined;
  readonly #tables = new Map<string, KeyedRows | undefined>();

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** Those of these keys, by the source's values, whose rows are the same; none where rows cannot be compared by their keys. */
  async equal(
    plan: TablePlan,
    keys: readonly (readonly string[])[],
    snapshot: Snapshot,
  ): Promise<ReadonlySet<readonly string[]>> {
    const { source, signal } = this.#attempt;
    this.#target ??= await this.#attempt.readTarget(signal);
    const rows = await this.#rowsOf(plan, this.#target);
    const candidates = new Map<Candidate, readonly string[]>();
    for (const key of keys) {
      const candidate = rows?.candidate(key);
      if (candidate !== undefined) candidates.set(candidate, key);
    }
    if (rows === undefined || candidates.size === 0) return new Set();
    const side = (one: Source) => ({ source: one, sessions: new Limiter(1) });
    const same = await rows.equal([...candidates.keys()], snapshot, {
      ...{ sides: { source: side(source), target: side(this.#target) }, withValues: false, signal },
    });
    return new Set(same.map((candidate) => candidates.get(candidate)!));
  }

  /** The same, of rows that are the same in all that the source tells; none where not all of that is compared. */
  async whollyEqual(
    plan: TablePlan,
    keys: readonly (readonly string[])[],
    snapshot: Snapshot,
  ): Promise<ReadonlySet<readonly string[]>> {
    const equal = await this.equal(plan, keys, snapshot);
    return this.#tables.get(tableKey(plan.source.id))?.isWhole === true ? equal : new Set();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target?.[Symbol.asyncDispose]();
  }

  async #rowsOf(plan: TablePlan, target: Source): Promise<KeyedRows | undefined> {
    const id = tableKey(plan.source.id);
    if (!this.#tables.has(id)) {
      const { settings, signal } = this.#attempt;
      const there = (await describeTargets(target, [plan], signal)).get(tableKey(plan.target.id));
      const table = there && compareTable(plan, there, settings.validation);
      this.#tables.set(id, table?.key && new KeyedRows(table, table.key));
    }
    return this.#tables.get(id);
  }
}
