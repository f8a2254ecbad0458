import { type ChangeBatch, OP_WIDTH, Op } from "../core/change-batch.ts";
import { MigrationError } from "../core/error.ts";
import { displayTable } from "../core/schema.ts";
import { ApplyMode } from "../core/target.ts";

/** Throws `apply.truncated` when a batch truncates a table, unless that is skipped. */
export function refuseTruncates(batch: ChangeBatch, modes: Uint8Array | undefined): void {
  const { ops, tables, transactions } = batch;
  for (const [t, { start, end }] of transactions.entries()) {
    for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      if (ops[at] !== Op.truncate) continue;
      const table = ops[at + 1]!;
      if (modes?.[t * tables.length + table] === ApplyMode.skip) continue;
      const subject = displayTable(tables[table]!.id);
      throw new MigrationError("apply.truncated", {
        message: `The source has truncated ${subject}.`,
        subject,
      });
    }
  }
}
