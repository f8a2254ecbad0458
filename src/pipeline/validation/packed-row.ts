import type { CopyTextRows } from "../../core/copy-text-rows.ts";

/** What is known of rows that have been read, of which there may be one. */
export type ReadCells = Pick<CopyTextRows, "bytes" | "cells">;

const NUMBER_BYTES = 4;

/** One of the rows that were read, with all of its cells and in bytes of its own. */
export function packedRow({ bytes, cells }: ReadCells, row: number, width: number): Buffer {
  const own = cells.slice(2 * row * width, 2 * (row + 1) * width);
  const starts = own.filter((start, i) => i % 2 === 0 && start >= 0);
  const from = Math.min(...starts);
  const to = Math.max(...own.filter((_, i) => i % 2 === 1 && own[i - 1]! >= 0));
  const head = 2 * width * NUMBER_BYTES;
  const packed = Buffer.alloc(head + (starts.length === 0 ? 0 : to - from));
  for (const [i, at] of own.entries()) {
    const isNull = own[i - (i % 2)]! < 0;
    packed.writeInt32LE(isNull ? at : at - from, NUMBER_BYTES * i);
  }
  if (starts.length > 0) bytes.copy(packed, head, from, to);
  return packed;
}

/** The first and only row of what it results in. */
export function unpackedRow(packed: Buffer, width: number): ReadCells {
  const head = 2 * width * NUMBER_BYTES;
  const cells = Array.from({ length: 2 * width }, (_, i) => packed.readInt32LE(NUMBER_BYTES * i));
  return { bytes: packed.subarray(head), cells };
}
