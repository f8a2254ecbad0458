import type { RecordedException, RecordsRequest } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import type { TableId } from "../core/schema.ts";
import type { Snapshot } from "../core/source.ts";
import type { ValidationFailureKind } from "../core/validation-failure.ts";
import type { RetryRows, TriedRecord } from "../pipeline/retry-rows.ts";
import type { KeyColumn } from "../pipeline/row-keys.ts";
import type { RetryBook } from "./retry-book.ts";
import type { Retry } from "./run-retry.ts";

/** The records of a table that are tried page by page, each while the target shows what a snapshot does. */
export interface RecordPages {
  readonly plan: TablePlan;
  /** done: there was no record left to try. rewritten: the page is to be tried at another snapshot. */
  tryPage(retry: Retry, snapshot: Snapshot): Promise<"done" | "tried" | "rewritten">;
}

/** What is recorded of a target's table. */
export interface RecordedTable {
  /** The target's. */
  readonly table: TableId;
  readonly records: number;
  /** Of those as many as name no row that could be looked for, as far as that is known before they are read. */
  readonly unnamed: number;
  /** In which way rows differ, where they are recorded for that. */
  readonly kinds: ReadonlyMap<ValidationFailureKind, number> | undefined;
}

/**
 * The records on the target of the rows that a wish is about: of those that it has refused, or of those that differ. All are tried
 * page by page, again and again.
 */
export interface WishRecords<Of extends TriedRecord = TriedRecord> extends AsyncDisposable {
  /** Resolves when the records are those that there are to be by now. */
  ready(tables: readonly TableId[] | undefined): Promise<void>;
  /** By the key of the target's table; those with none are left out. */
  recorded(): Promise<ReadonlyMap<string, RecordedTable>>;
  /** All records of a table of the source are about to be tried. */
  triesAll(table: TableId): void;
  /** Records of one table in the order of their ids. */
  page(wanted: RecordsRequest, columns: readonly KeyColumn[]): Promise<readonly Of[]>;
  /** Those that go in the transaction of their rows; undefined where they go later. */
  removedWith(records: readonly Of[]): readonly RecordedException[] | undefined;
  /**
   * A page is on the target, which still shows the snapshot's moment. Resolves with how many of its records are gone, for
   * good.
   */
  written(plan: TablePlan, rows: RetryRows<Of>, snapshot: Snapshot): Promise<number>;
  /** Records of another kind, of these tables or of all, that what has been brought may have made untrue; they are tried last. */
  outdated(tables: readonly TableId[] | undefined): Promise<readonly RecordPages[]>;
  /** Notes in the book what is left in the end. */
  tell(book: RetryBook): Promise<void>;
}
