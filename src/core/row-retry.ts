import type { ChangeBatch } from "./change-batch.ts";
import type { RecordedException } from "./journal.ts";
import type { TablePlan } from "./plan.ts";

/** Rows that were passed over, to be tried again. */
export interface RetryRequest {
  readonly plan: TablePlan;
  /** Of the plan's table. */
  readonly exceptions: readonly RecordedException[];
  /** Rows as the source has them, as changes of the plan's table alone, of one transaction each. */
  readonly batches: AsyncIterable<ChangeBatch>;
  /** A row that is there with the same key gets the values of the source's; else it is in the way. */
  readonly overwrites: boolean;
}

export interface RetriedRows {
  /** Which changes were passed over again: a batch, and where the change stands in its ops. */
  readonly refused: readonly { readonly batch: ChangeBatch; readonly at: number }[];
}
