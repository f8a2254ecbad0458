import { type ChangeBatch, NULL_CELL, type Op, UNCHANGED_CELL } from "../../src/core/change-batch.ts";
import type { TableSchema } from "../../src/core/schema.ts";
import { at } from "./numbered-log.ts";

/** undefined: not sent, since it has not changed. */
export type WrittenRow = readonly (string | null | undefined)[];

export interface WrittenChange {
  readonly op: Op;
  readonly table?: number;
  readonly before?: WrittenRow;
  readonly after?: WrittenRow;
}

/** A batch of these transactions, each at the position of its number from 1 on, and as many seconds after 1970. */
export function writtenBatch(
  tables: readonly TableSchema[],
  transactions: readonly (readonly WrittenChange[])[],
): ChangeBatch {
  const pieces: Buffer[] = [];
  let length = 0;
  const cells: number[] = [];
  const row = (values: WrittenRow | undefined): number => {
    if (values === undefined) return -1;
    const start = cells.length;
    for (const value of values) {
      if (value == null) {
        cells.push(value === null ? NULL_CELL : UNCHANGED_CELL, 0);
        continue;
      }
      const bytes = Buffer.from(value);
      pieces.push(bytes);
      cells.push(length, length + bytes.length);
      length += bytes.length;
    }
    return start;
  };
  const ops: number[] = [];
  const made = transactions.map((changes, i) => {
    const start = ops.length / 4;
    for (const { op, table = 0, before, after } of changes) ops.push(op, table, row(before), row(after));
    const position = at(i + 1);
    const times = { position, id: String(i), committedAtMs: 1000 * (i + 1), begins: true, commits: true };
    return { start, end: ops.length / 4, ...times };
  });
  return {
    bytes: Buffer.concat(pieces),
    cells: Int32Array.from(cells),
    encoding: "text",
    tables,
    ops: Int32Array.from(ops),
    transactions: made,
  };
}

/** What is in a batch, transaction by transaction. */
export function changesOf(batch: ChangeBatch): readonly (readonly Required<WrittenChange>[])[] {
  const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  const row = (from: number, columns: number): WrittenRow =>
    Array.from({ length: from < 0 ? 0 : columns }, (_, i) => {
      const start = batch.cells[from + 2 * i]!;
      if (start < 0) return start === NULL_CELL ? null : undefined;
      return bytes.toString("utf8", start, batch.cells[from + 2 * i + 1]);
    });
  return batch.transactions.map(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => {
      const [op, table, before, after] = batch.ops.subarray(4 * (start + i), 4 * (start + i + 1));
      const { length } = batch.tables[table!]!.columns;
      return { op: op as Op, table: table!, before: row(before!, length), after: row(after!, length) };
    }),
  );
}
