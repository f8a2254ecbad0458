import type { ChangeBatch } from "./change-batch.ts";
import type { RecordedException } from "./journal.ts";
import type { TablePlan } from "./plan.ts";

/** Rows that were passed over, or that differ, to be brought as the source has them. */
export interface RetryRequest {
  readonly plan: TablePlan;
  /**
   * Of the plan's table: they go with the rows, and a row that is refused once more is recorded anew. Undefined for rows that
   * are recorded elsewhere: what is refused of them is told alone, neither recorded nor counted.
   */
  readonly exceptions: readonly RecordedException[] | undefined;
  /**
   * Rows as the source has them, as changes of the plan's table alone, of one transaction each. What they throw is thrown on
   * as it is; then nothing has happened, and the applier goes on.
   */
  readonly batches: AsyncIterable<ChangeBatch>;
  /**
   * They are applied as ApplyMode.restore says: a row that is there gets the values of the source's, but only one whose key
   * is the same to the byte, whatever else the target's collation takes for the same. Another one is in the way, and so is
   * each without this: then the row is refused.
   */
  readonly overwrites: boolean;
  /** Told of each change that is passed over: a batch, where the change stands in its ops, and the error's code and message. */
  readonly refused: (batch: ChangeBatch, at: number, error: string) => void;
}
