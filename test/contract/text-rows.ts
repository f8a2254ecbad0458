import type { StreamItem } from "../../src/core/change-batch.ts";
import { NULL_CELL, OP_WIDTH, Op, UNCHANGED_CELL } from "../../src/core/change-batch.ts";
import type { Position, PositionCodec } from "../../src/core/position.ts";
import type { RowChunk } from "../../src/core/row-chunk.ts";
import type { ChangeStream } from "../../src/core/source.ts";

const FRAME_HEADER = 5;

/** The lines of "pg-copy-text" chunks, which may end anywhere: CopyData frames of COPY's text. */
export async function readLines(chunks: AsyncIterable<RowChunk>): Promise<readonly string[]> {
  const parts: Uint8Array[] = [];
  let told = 0;
  for await (const chunk of chunks) {
    parts.push(Uint8Array.from(chunk.bytes));
    told += chunk.rows;
  }
  const bytes = Buffer.concat(parts);
  const bodies: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32BE(at + 1) + 1;
    bodies.push(bytes.subarray(at + FRAME_HEADER, at + length));
    at += length;
  }
  const text = Buffer.concat(bodies).toString("utf8");
  const lines = text === "" ? [] : text.slice(0, -1).split("\n");
  if (lines.length !== told) throw new Error(`${lines.length} rows came and ${told} were told of`);
  return lines;
}

/** One change: what was done, and the row that it made or the key of the one that it took away, cells as text. */
export interface Change {
  readonly op: "insert" | "update" | "delete" | "truncate" | "delete referring" | "update referring";
  readonly table: string;
  readonly row: readonly (string | null)[];
}

export interface StreamedTransaction {
  readonly position: Position;
  readonly changes: readonly Change[];
}

const opNames = {
  [Op.insert]: "insert",
  [Op.update]: "update",
  [Op.delete]: "delete",
  [Op.truncate]: "truncate",
  [Op.deleteReferring]: "delete referring",
  [Op.updateReferring]: "update referring",
} as const;

/** Reads whole transactions with changes in them, up to a position. The stream was asked for text. */
export async function transactionsUpTo(
  stream: ChangeStream,
  goal: Position,
  positions: PositionCodec,
): Promise<readonly StreamedTransaction[]> {
  const found: StreamedTransaction[] = [];
  let pieces: Change[] = [];
  const reached = (position: Position): boolean => [0, 1].includes(positions.compare(position, goal) ?? -1);
  const probe = setInterval(() => stream.probe(), 50);
  try {
    for await (const item of stream) {
      if (item.kind === "heartbeat") {
        if (reached(item.position)) return found;
        continue;
      }
      for (const { transaction, changes } of changesOf(item)) {
        pieces.push(...changes);
        if (!transaction.commits) continue;
        if (pieces.length > 0) found.push({ position: transaction.position, changes: pieces });
        pieces = [];
      }
      if (reached(item.batch.transactions.at(-1)!.position) && pieces.length === 0) return found;
    }
  } finally {
    clearInterval(probe);
  }
  throw new Error("the stream ended before the position");
}

function* changesOf({ batch }: StreamItem & { readonly kind: "changes" }) {
  const { bytes, cells, ops, tables, transactions } = batch;
  const text = Buffer.from(bytes);
  const cell = (at: number): string | null => {
    const start = cells[at]!;
    if (start === UNCHANGED_CELL) return "unchanged";
    return start === NULL_CELL ? null : text.toString("utf8", start, cells[at + 1]!);
  };
  for (const transaction of transactions) {
    const changes: Change[] = [];
    for (let at = transaction.start * OP_WIDTH; at < transaction.end * OP_WIDTH; at += OP_WIDTH) {
      const op = ops[at] as Op;
      const table = tables[ops[at + 1]!]!;
      const from = op === Op.delete ? ops[at + 2]! : ops[at + 3]!;
      const shown = op === Op.delete ? new Set(table.key) : undefined;
      const row =
        from < 0
          ? []
          : table.columns.map((_, column) => (shown?.has(column) === false ? null : cell(from + 2 * column)));
      changes.push({ op: opNames[op], table: table.id.name, row });
    }
    yield { transaction, changes };
  }
}
