import { CopyFrames } from "../../core/copy-frames.ts";
import { CopyTextRows } from "../../core/copy-text-rows.ts";
import type { RowChunk } from "../../core/row-chunk.ts";

/** Whole rows of what is read, some at a time; they hold until the next are asked for. */
export async function* readCells(
  chunks: AsyncIterable<RowChunk>,
  width: number,
): AsyncGenerator<CopyTextRows> {
  const frames = new CopyFrames();
  const rows = new CopyTextRows();
  for await (const chunk of chunks) {
    frames.walk(chunk.bytes, rows);
    chunk.release?.();
    if (rows.rows === 0) continue;
    yield rows;
    rows.clear(width);
  }
}
