import type { ChangeBatch } from "../core/change-batch.ts";
import type { TablePlan } from "../core/plan.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Snapshot } from "../core/source.ts";
import { isRewritten } from "../pipeline/rereads.ts";
import { RetryRows } from "../pipeline/retry-rows.ts";
import { type KeyColumn, keyColumns } from "../pipeline/row-keys.ts";
import type { Attempt } from "./attempt.ts";
import { ExceptionRecords, type TriedException } from "./exception-records.ts";
import type { RepairedRows } from "./repaired-rows.ts";
import { ofWish } from "./retry-wish.ts";
import type { Retry } from "./run-retry.ts";
import type { RecordPages } from "./wish-records.ts";

/** Each page reads what is recorded of the table. */
const PAGE = 2_000;

/** Tables of the task, of these or of all, with records of rows that were passed over and can be looked for. */
export async function outdatedExceptions(
  attempt: Attempt,
  repaired: RepairedRows,
  wanted: readonly TableId[] | undefined,
): Promise<readonly RecordPages[]> {
  const exceptions = new ExceptionRecords(attempt);
  const recorded = await exceptions.recorded();
  const named = wanted && new Set(wanted.map(tableKey));
  return attempt.plan.tables.flatMap((plan) => {
    const columns = keyColumns(plan);
    const isMeant = named?.has(tableKey(plan.source.id)) !== false;
    if (!isMeant || typeof columns === "string" || !recorded.has(tableKey(plan.target.id))) return [];
    return [new OutdatedExceptions({ plan, columns, exceptions, repaired })];
  });
}

interface Parts {
  readonly plan: TablePlan;
  readonly columns: readonly KeyColumn[];
  readonly exceptions: ExceptionRecords;
  readonly repaired: RepairedRows;
}

/**
 * Removes records of changes that did not find their row, and of rows that were refused, where both sides have the same by now:
 * what they tell of is mended. Nothing is written but that.
 */
class OutdatedExceptions implements RecordPages {
  readonly #parts: Parts;
  #after: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get plan(): TablePlan {
    return this.#parts.plan;
  }

  async tryPage(retry: Retry, snapshot: Snapshot): Promise<"done" | "tried"> {
    const { plan, columns, exceptions } = this.#parts;
    if (retry.attempt.errors.isSuspended(plan.source.id)) return "done";
    const records = await exceptions.page({ table: plan.target.id, after: this.#after, limit: PAGE });
    const last = records.at(-1);
    if (last === undefined) return "done";
    this.#after = last.id;
    try {
      await this.#remove(await this.#mended(new RetryRows(plan, columns, records), snapshot), retry);
    } catch (error) {
      // They stay for another repair.
      if (isRewritten(error)) return "done";
      throw error;
    }
    return "tried";
  }

  /** Those of which all rows that they name are the same. */
  async #mended(
    { triable, tried }: RetryRows<TriedException>,
    snapshot: Snapshot,
  ): Promise<readonly TriedException[]> {
    const { plan, repaired } = this.#parts;
    const keys = tried.map(({ key }) => key);
    const equal = await ofWish(() => repaired.whollyEqual(plan, keys, snapshot));
    const others = new Set(tried.filter(({ key }) => !equal.has(key)).flatMap(({ records }) => records));
    return triable.filter((record) => !others.has(record));
  }

  async #remove(mended: readonly TriedException[], { attempt, applier }: Retry): Promise<void> {
    if (mended.length === 0) return;
    const { plan, exceptions } = this.#parts;
    await applier.retry({
      ...{ plan, exceptions: exceptions.removedWith(mended), batches: nothing() },
      ...{ overwrites: true, refused: () => undefined },
    });
    const errors = await attempt.journal.recordedErrors(attempt.signal);
    attempt.statistics.recorded(plan.source.id, errors.get(tableKey(plan.target.id)));
    attempt.statistics.report();
  }
}

async function* nothing(): AsyncGenerator<ChangeBatch> {}
