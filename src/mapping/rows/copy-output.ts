import type { RowChunk } from "../../core/row-chunk.ts";

/** CopyData: `d`, and the length of itself and what follows (PostgreSQL's protocol manual). */
const FRAME_HEADER = 5;
const COPY_DATA = 0x64;

/** Room beyond what comes in: separators, NULLs. */
const SPARE = 1 << 10;
/** One that a long value has made larger is not kept. */
const LARGEST_SPARE = 1 << 21;

/** A frame of CopyData while it is made of those of a chunk; one follows the other. */
export class CopyOutput {
  bytes: Buffer = Buffer.alloc(0);
  /** Of what is written. */
  length = 0;
  /** Buffers of chunks that were given back. */
  readonly #spare: Buffer[] = [];
  /** Rows that have ended since the last frame. */
  #rows = 0;

  /** Another frame. `expected`: how many bytes it takes, about. */
  begin(expected: number): void {
    const spare = this.#spare.pop();
    const size = FRAME_HEADER + expected + SPARE;
    this.bytes = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    this.length = FRAME_HEADER;
  }

  /** The frame as a chunk; undefined when nothing was written, and then `rows` that have ended count with the next one. */
  take(rows: number): RowChunk | undefined {
    this.#rows += rows;
    const out = this.bytes;
    const done = (): void => {
      if (out.length <= LARGEST_SPARE) this.#spare.push(out);
    };
    if (this.length === FRAME_HEADER) {
      done();
      return undefined;
    }
    const frame = out.subarray(0, this.length);
    frame[0] = COPY_DATA;
    frame.writeUInt32BE(this.length - 1, 1);
    const ended = this.#rows;
    this.#rows = 0;
    return { bytes: frame, rows: ended, release: done };
  }

  /** Makes room for `size` bytes. */
  room(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  byte(byte: number): void {
    this.room(1);
    this.bytes[this.length++] = byte;
  }

  text(text: string): void {
    this.room(3 * text.length);
    this.length += this.bytes.write(text, this.length, "utf8");
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.room(length);
    const to = this.length;
    this.length = to + length;
    // A call into the runtime costs as much as some dozen bytes.
    if (length > 48) {
      this.bytes.set(bytes.subarray(start, end), to);
      return;
    }
    const out = this.bytes;
    for (let i = 0; i < length; i++) out[to + i] = bytes[start + i]!;
  }
}
