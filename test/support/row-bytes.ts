import { NULL_CELL, UNCHANGED_CELL } from "../../src/core/change-batch.ts";
import type { RowBytes } from "../../src/engines/shared/apply/key-index.ts";

/** A row's values; undefined was not sent. */
export type Row = readonly (string | null | undefined)[];

/** Rows one after the other, as a batch holds them. */
export function rowBytes(rows: readonly Row[]): RowBytes {
  let text = "";
  const cells = rows.flat().flatMap((cell) => {
    if (cell === undefined) return [UNCHANGED_CELL, NULL_CELL];
    if (cell === null) return [NULL_CELL, NULL_CELL];
    const start = text.length;
    text += cell;
    return [start, text.length];
  });
  return { bytes: Buffer.from(text), cells: Int32Array.from(cells) };
}
