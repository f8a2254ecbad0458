import { TransactionPiece } from "../core/batch-parts.ts";
import { type ChangeBatch, OP_WIDTH, Op } from "../core/change-batch.ts";
import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { displayTable, type TableId } from "../core/schema.ts";
import { ApplyMode } from "../core/target.ts";
import type { PipelineObserver } from "./observer.ts";

/** What a table that the source truncates leads to. refuse: the run ends with `apply.truncated`. */
export type TruncatePolicy = "carry-out" | "keep-rows" | "refuse";

interface TruncateParts {
  readonly truncates: TruncatePolicy;
  readonly observer: Pick<PipelineObserver, "finding">;
}

/** The batch as it is to be applied; its transactions stay, so that its modes are those of the batch given. */
export function settleTruncates(
  batch: ChangeBatch,
  modes: Uint8Array | undefined,
  { truncates, observer }: TruncateParts,
): ChangeBatch {
  if (truncates === "carry-out") return batch;
  const tables = truncatedTables(batch, modes);
  if (tables.length === 0) return batch;
  if (truncates === "refuse") {
    const subject = displayTable(tables[0]!);
    throw new MigrationError("apply.truncated", { message: `The source has truncated ${subject}.`, subject });
  }
  for (const table of tables) observer.finding(keptRows(table));
  return withoutTruncates(batch);
}

/** Tables that a batch truncates, unless that is skipped. */
function truncatedTables(batch: ChangeBatch, modes: Uint8Array | undefined): readonly TableId[] {
  const { ops, tables, transactions } = batch;
  const found = new Set<number>();
  for (const [t, { start, end }] of transactions.entries()) {
    for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      if (ops[at] !== Op.truncate) continue;
      const table = ops[at + 1]!;
      if (modes?.[t * tables.length + table] !== ApplyMode.skip) found.add(table);
    }
  }
  return [...found].map((table) => tables[table]!.id);
}

function withoutTruncates(batch: ChangeBatch): ChangeBatch {
  const ops = new Int32Array(batch.ops.length);
  let kept = 0;
  const transactions = batch.transactions.map((transaction) => {
    const start = kept / OP_WIDTH;
    for (let at = transaction.start * OP_WIDTH; at < transaction.end * OP_WIDTH; at += OP_WIDTH) {
      if (batch.ops[at] === Op.truncate) continue;
      ops.set(batch.ops.subarray(at, at + OP_WIDTH), kept);
      kept += OP_WIDTH;
    }
    const { begins, commits, takenBack = false } = transaction;
    return new TransactionPiece(transaction, { start, end: kept / OP_WIDTH, begins, commits, takenBack });
  });
  return { ...batch, ops: ops.subarray(0, kept), transactions };
}

function keptRows(table: TableId): Finding {
  return {
    code: "apply.truncate_passed_over",
    severity: "warning",
    subject: displayTable(table),
    table,
    message: "The source has truncated the table; the rows that the target has of it stay.",
    remedy: errorTable["apply.truncate_passed_over"].remedy,
  };
}
