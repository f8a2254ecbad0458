import { type ChangeBatch, isReferring, OP_WIDTH, Op } from "../core/change-batch.ts";
import { MigrationError } from "../core/error.ts";
import { displayTable, type TableId } from "../core/schema.ts";
import { silentKeysOf } from "../core/silent-keys.ts";
import { ApplyMode } from "../core/target.ts";

/**
 * Which rows a foreign key has changed by itself shows in the rows that refer, and in those that refer to these: all of them
 * have to be as they were on the source then. The error of the first table of which that does not hold: one with rows from
 * several snapshots, or one that refers to a table whose rows are newer, or of which changes were left out.
 */
export function brokenCascade(
  batch: ChangeBatch,
  modes: Uint8Array | undefined,
  isSuspended: (table: TableId) => boolean,
): MigrationError | undefined {
  if (modes === undefined) return undefined;
  const { ops, tables, transactions } = batch;
  for (const [t, { start, end }] of transactions.entries()) {
    const modeOf = (table: number): ApplyMode => modes[t * tables.length + table] as ApplyMode;
    for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      if (!isReferring(ops[at]!)) continue;
      const broken = brokenAt(batch, { op: ops[at]!, table: ops[at + 1]!, modeOf, isSuspended });
      if (broken !== undefined) return broken;
    }
  }
  return undefined;
}

interface ReferringOp {
  readonly op: number;
  readonly table: number;
  readonly modeOf: (table: number) => ApplyMode;
  readonly isSuspended: (table: TableId) => boolean;
}

function brokenAt(
  { tables }: ChangeBatch,
  { op, table, modeOf, isSuspended }: ReferringOp,
): MigrationError | undefined {
  const keys = silentKeysOf(tables);
  for (const one of keys.family(table)) {
    const { id, foreignKeys } = tables[one]!;
    const mode = modeOf(one);
    // A newer row that holds the values got them by a change of its own, which comes and makes it again.
    const mayConverge =
      one === table &&
      op === Op.deleteReferring &&
      keys.to(one).length === 0 &&
      foreignKeys.every(({ silent }) => silent?.onUpdate !== "cascade");
    if (mode === ApplyMode.converge && !mayConverge) return incomplete(id);
    if (mode !== ApplyMode.skip) continue;
    const below = keys.to(one).find((key) => modeOf(key.table) !== ApplyMode.skip);
    if (below === undefined) continue;
    const referring = tables[below.table]!.id;
    return isSuspended(id) ? unknown(referring, id) : incomplete(referring);
  }
  return undefined;
}

function incomplete(id: TableId): MigrationError {
  return new MigrationError("apply.row_incomplete", {
    message: "Rows that a foreign key of the source has changed by itself cannot be told from others yet.",
    subject: displayTable(id),
    table: id,
  });
}

function unknown(referring: TableId, referred: TableId): MigrationError {
  return new MigrationError("apply.cascade_unknown", {
    message: `What foreign keys have done to the table's rows cannot be told: ${displayTable(referred)}, which they refer to, is set aside.`,
    subject: displayTable(referring),
    table: referring,
  });
}
