import type { RecordedException, RecordsRequest } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import { tableKey } from "../core/schema.ts";
import type { RetryRows, TriedRecord } from "../pipeline/retry-rows.ts";
import type { Attempt } from "./attempt.ts";
import { type RetryBook, sumOf } from "./retry-book.ts";
import type { RecordedTable, RecordPages, WishRecords } from "./wish-records.ts";

export interface TriedException extends TriedRecord {
  readonly exception: RecordedException;
}

/** Rows that were passed over: their records go with what brings them, and a row that is refused once more gets a new one. */
export class ExceptionRecords implements WishRecords<TriedException> {
  readonly #attempt: Attempt;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  async ready(): Promise<void> {}

  async recorded(): Promise<ReadonlyMap<string, RecordedTable>> {
    const { journal, signal } = this.#attempt;
    const recorded = await journal.recordedCodes(signal);
    return new Map(
      recorded.map(({ table, codes }) => [
        tableKey(table),
        { table, records: sumOf(codes), unnamed: 0, kinds: undefined },
      ]),
    );
  }

  triesAll(): void {}

  async page(wanted: RecordsRequest): Promise<readonly TriedException[]> {
    const { journal, signal } = this.#attempt;
    return (await journal.exceptions(wanted, signal)).map((exception) => {
      const { id, keys, leaves, conflicts, refused } = exception;
      return { id, keys, leaves, records: conflicts + refused, exception };
    });
  }

  removedWith(records: readonly TriedException[]): readonly RecordedException[] {
    return records.map(({ exception }) => exception);
  }

  async written(_plan: TablePlan, rows: RetryRows<TriedException>): Promise<number> {
    return rows.settled;
  }

  async outdated(): Promise<readonly RecordPages[]> {
    return [];
  }

  async tell(book: RetryBook): Promise<void> {
    const { journal, plan, statistics, validation, signal } = this.#attempt;
    const errors = await journal.recordedErrors(signal);
    const left = new Map(
      (await journal.recordedCodes(signal)).map(({ table, codes }) => [tableKey(table), codes]),
    );
    const targets = new Map(
      plan.tables.map(({ source, target }) => [tableKey(source.id), tableKey(target.id)]),
    );
    const tables = book.progress?.tables ?? [];
    for (const { id } of tables) {
      const target = targets.get(tableKey(id)) ?? tableKey(id);
      const codes = left.get(target) ?? new Map();
      book.left(id, { records: sumOf(codes), codes });
      statistics.recorded(id, errors.get(target));
    }
    const ids = tables.map(({ id }) => id);
    await validation?.anew(ids, journal, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
