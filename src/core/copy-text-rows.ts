import { NULL_CELL } from "./change-batch.ts";

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;

/** What stands behind a backslash for another byte (PostgreSQL manual, "COPY", "Text Format"). */
const ESCAPES = new Map(
  [...Object.entries({ b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 })].map(([c, byte]) => [c.charCodeAt(0), byte]),
);

/** Rows of COPY's text form as cells of bytes, from pieces that may end anywhere. */
export class CopyTextRows {
  bytes: Buffer = Buffer.allocUnsafeSlow(1 << 16);
  length = 0;
  /** [start, end) for each cell of all rows that have ended since the last clear(), NULL_CELL as the start of a NULL. */
  cells: number[] = [];
  rows = 0;
  #cellStart = 0;
  #isNull = false;
  #escaped = false;

  read(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      if (this.#escaped) {
        this.#escaped = false;
        if (byte === CAPITAL_N && this.length === this.#cellStart) this.#isNull = true;
        else this.bytes[this.length++] = ESCAPES.get(byte) ?? byte;
      } else if (byte === BACKSLASH) {
        this.#escaped = true;
      } else if (byte === TAB) {
        this.#endCell();
      } else if (byte === NEWLINE) {
        this.#endCell();
        this.rows++;
      } else {
        this.bytes[this.length++] = byte;
      }
    }
  }

  /** Starts over; what was read of a row that has not ended stays. Buffers that were handed out are not written again. */
  clear(columns: number): void {
    const open = this.cells.slice(this.rows * columns * 2);
    const from = open.find((at) => at >= 0) ?? this.#cellStart;
    const rest = this.bytes.subarray(from, this.length);
    const bytes = Buffer.allocUnsafeSlow(Math.max(1 << 16, rest.length));
    bytes.set(rest);
    this.bytes = bytes;
    this.length = rest.length;
    this.cells = open.map((at) => (at < 0 ? at : at - from));
    this.#cellStart -= from;
    this.rows = 0;
  }

  #endCell(): void {
    this.cells.push(this.#isNull ? NULL_CELL : this.#cellStart, this.length);
    this.#cellStart = this.length;
    this.#isNull = false;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
