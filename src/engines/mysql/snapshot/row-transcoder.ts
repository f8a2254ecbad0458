import { MigrationError } from "../../../core/error.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import { LongRow } from "./long-row.ts";
import type { RowForm } from "./row-form.ts";

const PACKET_HEADER = 4;
const NULL_CELL = 0xfb;
const TWO_BYTES = 0xfc;
const EOF = 0xfe;
const ERR = 0xff;

/** CopyData: `d`, and the length of itself and what follows (PostgreSQL's protocol manual). */
const FRAME_HEADER = 5;
const COPY_DATA = 0x64;

/** Bytes after which a chunk is full. */
const CHUNK = 1 << 18;
/** The packet of a longer row is not waited for but written piece by piece. */
const LONG_ROW = 1 << 16;

/**
 * Turns rows as MySQL's text protocol sends them into frames of COPY in one of its forms, by one walk over the bytes:
 *
 *     for (;;) {
 *       at = transcoder.walk(bytes, at);
 *       if (transcoder.full) forward(transcoder.take());
 *       else if (transcoder.ended) break;                  // bytes[at] begins the packet that is no row
 *       else wait for more, and put bytes from `at` on in front of it;
 *     }
 *
 * A chunk may end inside a row, and a row of any size needs no more memory than a chunk.
 */
export class RowTranscoder {
  /** No more fits into the chunk. */
  full = false;
  /** The next packet is not a row: it says how the rows have ended. */
  ended = false;
  readonly #form: RowForm;
  readonly #long: LongRow;
  #target: Buffer;
  /** Buffers of chunks that were given back. */
  readonly #spare: Buffer[] = [];
  #end = FRAME_HEADER;
  #rows = 0;

  constructor(form: RowForm) {
    this.#form = form;
    this.#long = new LongRow(form);
    this.#target = this.#empty();
    this.#append(form.head);
  }

  walk(bytes: Buffer, at: number): number {
    let next = at;
    while (!this.full && !this.ended) {
      if (this.#long.open) {
        next = this.#longRow(bytes, next);
        if (this.#long.open) return next;
        continue;
      }
      if (bytes.length - next < PACKET_HEADER) return next;
      const length = bytes[next]! | (bytes[next + 1]! << 8) | (bytes[next + 2]! << 16);
      const start = next + PACKET_HEADER;
      if (length > LONG_ROW) {
        this.#long.begin(length);
        next = start;
        continue;
      }
      if (bytes.length - start < length) return next;
      const first = bytes[start]!;
      if (first === ERR || first === EOF) {
        this.ended = true;
        this.#append(this.#form.tail);
        return next;
      }
      this.#end = this.#row(bytes, start, start + length, this.#end);
      this.#rows++;
      next = start + length;
      if (this.#end >= CHUNK) this.full = true;
    }
    return next;
  }

  /** What has been written since the last time, as one frame; undefined for nothing. */
  take(): RowChunk | undefined {
    if (this.#end === FRAME_HEADER) return undefined;
    const bytes = this.#target.subarray(0, this.#end);
    bytes[0] = COPY_DATA;
    bytes.writeUInt32BE(this.#end - 1, 1);
    const target = this.#target;
    const chunk = { bytes, rows: this.#rows, release: () => void this.#spare.push(target) };
    this.#target = this.#empty();
    this.#end = FRAME_HEADER;
    this.#rows = 0;
    this.full = false;
    return chunk;
  }

  #append(bytes: Buffer): void {
    this.#end += bytes.copy(this.#target, this.#end);
  }

  #empty(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK + 2 * LONG_ROW + this.#form.slack);
  }

  #row(bytes: Buffer, start: number, stop: number, begin: number): number {
    const form = this.#form;
    const { count, separator, terminator } = form;
    const target = this.#target;
    let at = start;
    let end = begin;
    if (form.isCounted) end = target.writeInt16BE(count, end);
    for (let column = 0; column < count; column++) {
      if (column > 0 && separator >= 0) target[end++] = separator;
      let length = bytes[at++]!;
      if (length >= NULL_CELL) {
        if (length === NULL_CELL) {
          end = form.writeNull(target, end);
          continue;
        }
        const isShort = length === TWO_BYTES;
        length = bytes[at]! | (bytes[at + 1]! << 8) | (isShort ? 0 : bytes[at + 2]! << 16);
        at += isShort ? 2 : 3;
      }
      // What is not well formed must not lead beyond the row.
      if (at + length > stop) throw malformed();
      end = form.write(column, bytes, at, at + length, target, end);
      at += length;
    }
    if (at !== stop) throw malformed();
    if (terminator >= 0) target[end++] = terminator;
    return end;
  }

  #longRow(bytes: Buffer, at: number): number {
    const long = this.#long;
    const next = long.walk(bytes, at, this.#target, this.#end);
    this.#end = long.end;
    if (!long.open) this.#rows++;
    // Rows up to LONG_ROW fit only before CHUNK, and a long one may have stopped for want of room.
    this.full = this.#end >= CHUNK;
    return next;
  }
}

function malformed(): MigrationError {
  return new MigrationError("source.protocol", { message: "The source sent a row that is not well formed." });
}
