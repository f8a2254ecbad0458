import assert from "node:assert/strict";
import type { RowChunk } from "../../src/core/row-chunk.ts";

/** A generator of numbers in [0, n) that always gives the same ones. */
export function numbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** A frame of CopyData. */
export function frame(body: Buffer): Buffer {
  const header = Buffer.from([0x64, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** What is in frames of CopyData. */
export function bodies(chunks: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(chunks);
  const found: Buffer[] = [];
  for (let at = 0; at < all.length; at += 1 + all.readUInt32BE(at + 1)) {
    assert.equal(all[at], 0x64);
    found.push(all.subarray(at + 5, at + 1 + all.readUInt32BE(at + 1)));
  }
  return Buffer.concat(found);
}

export interface RowMapper {
  map(chunk: RowChunk): RowChunk | undefined;
}

/** What a mapper makes of rows, each in a frame, or all in one, that come in pieces which end anywhere. */
export function mappedRows(
  rows: readonly Buffer[],
  { mapper, pick }: { readonly mapper: RowMapper; readonly pick: (n: number) => number },
): Buffer {
  const sent = pick(2) === 0 ? Buffer.concat(rows.map(frame)) : frame(Buffer.concat(rows));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < sent.length; ) {
    const end = Math.min(sent.length, at + 1 + pick(pick(4) === 0 ? 3 : 400));
    // Whoever has a chunk's bytes may write over them.
    const mapped = mapper.map({ bytes: Buffer.from(sent.subarray(at, end)), rows: 0 });
    if (mapped !== undefined) chunks.push(Buffer.from(mapped.bytes));
    mapped?.release?.();
    at = end;
  }
  return bodies(chunks);
}

/** As much of a text as has no more than so many bytes. */
export function firstBytes(text: string, limit: number): string {
  let size = 0;
  let kept = "";
  for (const char of text) {
    size += Buffer.byteLength(char);
    if (size > limit) break;
    kept += char;
  }
  return kept;
}
