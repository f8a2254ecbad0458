import { MigrationError } from "../core/error.ts";
import type { TablePlan } from "../core/plan.ts";
import type { Snapshot } from "../core/source.ts";
import { isRewritten, Rereads } from "../pipeline/rereads.ts";
import { RetryRows, recordsOf, type TriedRecord } from "../pipeline/retry-rows.ts";
import type { KeyColumn } from "../pipeline/row-keys.ts";
import { readForWish } from "./retry-wish.ts";
import type { Retry } from "./run-retry.ts";
import type { RecordPages } from "./wish-records.ts";

/** Records that are tried in one transaction: few at first, and more where that goes fast. */
const PAGE = { first: 250, most: 2_000, least: 10 } as const;
/** A transaction of them is to take about so long. */
const PAGE_MS = 2_000;

export const ASIDE = "the table is set aside; reload it";
const REWRITTEN = "the source truncated or rewrote it whenever it was read; try again, or reload the table";
const TRIGGERED =
  "the target's triggers would act on its rows together with its foreign keys; disable them meanwhile, or reload the table";
export const UNCLEAR = "no key is recorded of them; reload the table";

export interface TriedTable {
  readonly plan: TablePlan;
  readonly columns: readonly KeyColumn[];
}

/** The records of a table, page by page. */
export class TableRecords implements RecordPages {
  readonly table: TriedTable;
  #after: string | undefined;
  #limit: number = PAGE.first;
  #unclear = 0;
  readonly #rereads = new Rereads();

  constructor(table: TriedTable) {
    this.table = table;
  }

  get plan(): TablePlan {
    return this.table.plan;
  }

  async tryPage(retry: Retry, snapshot: Snapshot): Promise<"done" | "tried" | "rewritten"> {
    const { attempt, book, records: wished } = retry;
    const { id } = this.table.plan.source;
    // It may have been loaded again since the wish began.
    if (attempt.errors.isSuspended(id)) {
      book.untried(id, { records: book.leftOf(id), reason: ASIDE });
      return "done";
    }
    const page = { table: this.table.plan.target.id, after: this.#after, limit: this.#limit };
    const records = await wished.page(page, this.table.columns);
    if (records.length === 0) return "done";
    const rows = new RetryRows(this.table.plan, this.table.columns, records);
    const startedAt = performance.now();
    try {
      if (rows.triable.length > 0) await this.#tryRows(rows, retry, snapshot);
    } catch (error) {
      const reason = untriedFor(error);
      if (reason === undefined) throw error;
      if (reason === REWRITTEN && this.#rereads.grant(id)) return "rewritten";
      book.untried(id, { records: book.leftOf(id), reason });
      return "done";
    }
    this.#after = records.at(-1)!.id;
    this.#fitLimit(performance.now() - startedAt);
    if (rows.unclear.length > 0) {
      this.#unclear += recordsOf(rows.unclear);
      book.untried(id, { records: this.#unclear, reason: UNCLEAR });
    }
    return "tried";
  }

  async #tryRows(
    rows: RetryRows<TriedRecord>,
    { attempt: { statistics, signal }, applier, book, records, overwrites }: Retry,
    snapshot: Snapshot,
  ): Promise<void> {
    const { plan } = this.table;
    await applier.retry({
      plan,
      exceptions: records.removedWith(rows.triable),
      batches: readForWish(rows.batches(snapshot, { areChanges: overwrites, signal })),
      overwrites,
      refused: (batch, at, error) => rows.refused(batch, at, error),
    });
    book.settled(plan.source.id, await records.written(plan, rows, snapshot));
    if (rows.cuts > 0) statistics.valuesCut(plan.source.id, rows.cuts);
    statistics.report();
  }

  /** Changes wait, and a page cannot be left midway. */
  #fitLimit(tookMs: number): void {
    if (tookMs > PAGE_MS) this.#limit = Math.max(PAGE.least, this.#limit >> 2);
    else if (tookMs < PAGE_MS / 4) this.#limit = Math.min(PAGE.most, this.#limit * 2);
  }
}

/** Why an error of a table leaves its records as they are; undefined for one of the task. */
function untriedFor(error: unknown): string | undefined {
  if (isRewritten(error)) return REWRITTEN;
  return error instanceof MigrationError && error.code === "apply.triggers_act" ? TRIGGERED : undefined;
}
