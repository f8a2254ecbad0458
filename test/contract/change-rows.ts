import { type ChangeBatch, type ChangeTransaction, NULL_CELL, Op } from "../../src/core/change-batch.ts";
import type { Position } from "../../src/core/position.ts";
import type { TableSchema } from "../../src/core/schema.ts";

type Row = readonly (string | null)[];
export type NewChange =
  | { readonly insert: Row }
  | { readonly update: Row; readonly was: Row }
  | { readonly delete: Row };

/** A transaction, or a piece of one. */
export interface NewTransaction extends Partial<Pick<ChangeTransaction, "begins" | "commits" | "takenBack">> {
  readonly position: Position;
  readonly changes: readonly NewChange[];
}

/** A batch of transactions of one table, cells in the text form; each transaction has a position of its own. */
export function changeBatch(table: TableSchema, transactions: readonly NewTransaction[]): ChangeBatch {
  const texts: Buffer[] = [];
  const cells: number[] = [];
  const ops: number[] = [];
  let length = 0;
  const row = (values: Row | undefined): number => {
    if (values === undefined) return -1;
    const at = cells.length;
    for (const value of values) {
      const bytes = Buffer.from(value ?? "");
      cells.push(value === null ? NULL_CELL : length, value === null ? NULL_CELL : length + bytes.length);
      texts.push(bytes);
      length += bytes.length;
    }
    return at;
  };
  const placed = transactions.map(({ position, changes, ...piece }, at) => {
    const start = ops.length / 4;
    for (const change of changes) {
      if ("insert" in change) ops.push(Op.insert, 0, -1, row(change.insert));
      else if ("update" in change) ops.push(Op.update, 0, row(change.was), row(change.update));
      else ops.push(Op.delete, 0, row(change.delete), -1);
    }
    const shape = { begins: true, commits: true, committedAtMs: 1_700_000_000_000, ...piece };
    return { start, end: ops.length / 4, position, id: String(at + 1), ...shape };
  });
  return {
    bytes: Buffer.concat(texts),
    cells: Int32Array.from(cells),
    encoding: "text",
    tables: [table],
    ops: Int32Array.from(ops),
    transactions: placed,
  };
}

/** A CopyData frame of COPY's text for each line, as one chunk. */
export function copyFrames(lines: readonly string[]): Buffer {
  return Buffer.concat(
    lines.map((line) => {
      const body = Buffer.from(`${line}\n`);
      const header = Buffer.from([0x64, 0, 0, 0, 0]);
      header.writeInt32BE(4 + body.length, 1);
      return Buffer.concat([header, body]);
    }),
  );
}
