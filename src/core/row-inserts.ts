import { type ChangeBatch, type ChangeTransaction, NULL_CELL, OP_WIDTH, Op } from "./change-batch.ts";
import type { CopyTextRows } from "./copy-text-rows.ts";
import type { Position } from "./position.ts";
import type { CellRow } from "./row-repair.ts";
import type { TableSchema } from "./schema.ts";

/** Where rows that come from no change are in the source's log. */
export const NOWHERE: Position = { kind: "none", text: "" };

/** Which transaction rows are part of, and whether they are the first and the last of it. */
export type TransactionPart = Pick<ChangeTransaction, "position" | "begins" | "commits">;

/** Ordinals of the columns whose values rows are read with. */
export function sentColumns({ columns }: TableSchema): readonly number[] {
  return columns.flatMap(({ generated }, ordinal) => (generated === undefined ? [ordinal] : []));
}

/** Rows that were read as inserts of one transaction, which they are part of. */
export function insertsOf(table: TableSchema, read: CopyTextRows, part: TransactionPart): ChangeBatch {
  const { bytes, rows } = read;
  const columns = sentColumns(table);
  const width = 2 * table.columns.length;
  const cells = new Int32Array(rows * width).fill(NULL_CELL);
  const ops = new Int32Array(OP_WIDTH * rows);
  for (let row = 0; row < rows; row++) {
    ops.set([Op.insert, 0, -1, row * width], OP_WIDTH * row);
    for (const [i, ordinal] of columns.entries()) {
      const from = 2 * (row * columns.length + i);
      cells[row * width + 2 * ordinal] = read.cells[from]!;
      cells[row * width + 2 * ordinal + 1] = read.cells[from + 1]!;
    }
  }
  return {
    bytes,
    cells,
    ops,
    encoding: "text",
    tables: [table],
    transactions: [transactionOf(rows, part)],
  };
}

/** One of the rows that were read, by itself. */
export function cellRowOf(
  table: TableSchema,
  read: Pick<CopyTextRows, "bytes" | "cells">,
  row: number,
): CellRow & { readonly row: 0 } {
  const columns = sentColumns(table);
  const cells = new Int32Array(2 * table.columns.length).fill(NULL_CELL);
  for (const [i, ordinal] of columns.entries()) {
    const from = 2 * (row * columns.length + i);
    cells.set(read.cells.slice(from, from + 2), 2 * ordinal);
  }
  return { bytes: read.bytes, cells, row: 0 };
}

/** A transaction, or a part of one, of so many ops. */
export function transactionOf(ops: number, part: TransactionPart): ChangeTransaction {
  return { start: 0, end: ops, id: "", committedAtMs: 0, ...part };
}
