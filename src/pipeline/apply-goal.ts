import type { ChangeBatch, ChangeTransaction } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import { cutBatch, type TableRules } from "./apply-modes.ts";

export interface ApplyGoal {
  /** End once everything up to here is durable; undefined for no end. */
  readonly position?: Position | undefined;
  /** End before the first transaction committed after this time (ms, the source's clock). */
  readonly committedBeforeMs?: number | undefined;
  /** End before the first transaction that commits after this position, and when the log has come so far. */
  readonly last?: Position | undefined;
  /** The same for the place that the stream was asked to tell of (ChangeStreamRequest.until). */
  readonly endsAtPlace?: boolean;
}

/** What of a batch comes before something that ends the run; undefined when nothing does. */
export interface Taken<End> {
  readonly taken: ChangeBatch;
  readonly end: End | undefined;
}

/** What of a batch comes before the first transaction that a goal leaves out. */
export function upToGoal(
  batch: ChangeBatch,
  { committedBeforeMs, last }: Pick<ApplyGoal, "committedBeforeMs" | "last">,
  rules: Pick<TableRules, "reaches">,
): Taken<"last" | "commit-time"> {
  if (last === undefined && committedBeforeMs === undefined) return { taken: batch, end: undefined };
  const isBeyondLast = ({ begins, position }: ChangeTransaction): boolean =>
    begins && last !== undefined && !rules.reaches(last, position);
  const isTooLate = ({ begins, committedAtMs }: ChangeTransaction): boolean =>
    begins && committedBeforeMs !== undefined && committedAtMs > committedBeforeMs;
  const first = batch.transactions.find((transaction) => isBeyondLast(transaction) || isTooLate(transaction));
  if (first === undefined) return { taken: batch, end: undefined };
  return {
    taken: cutBatch(batch, (transaction) => transaction === first)!,
    end: isBeyondLast(first) ? "last" : "commit-time",
  };
}
