import { createHash, type Hash } from "node:crypto";
import { BACKSLASH, isNullCell, unescaped } from "./copy-text.ts";
import { sha256 } from "./masks.ts";

/** A longer cell is hashed piece by piece. */
const ROOM = 1 << 14;

/** SHA-256 of a cell in COPY's text format that comes in pieces, in memory that does not grow with it. */
export class CellHash {
  readonly #held = Buffer.allocUnsafeSlow(ROOM);
  #length = 0;
  /** Of a cell that did not fit. */
  #hash: Hash | undefined;

  /** `bytes` [start, end) of the cell come next. */
  add(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#length === ROOM) this.#empty();
      const size = Math.min(end - at, ROOM - this.#length);
      this.#held.set(bytes.subarray(at, at + size), this.#length);
      this.#length += size;
      at += size;
    }
  }

  /** The cell has ended: 64 hexadecimal digits, or null for NULL. */
  digest(): string | null {
    const length = this.#length;
    const hash = this.#hash;
    this.#length = 0;
    this.#hash = undefined;
    if (hash === undefined && isNullCell(this.#held, 0, length)) return null;
    const rest = unescaped(this.#held, 0, length);
    return hash === undefined ? sha256(rest) : hash.update(rest).digest("hex");
  }

  /** Hashes what is held, but for a backslash that what it stands before has not come to. */
  #empty(): void {
    let whole = ROOM;
    while (whole > 0 && this.#held[whole - 1] === BACKSLASH) whole--;
    whole += (ROOM - whole) & ~1;
    this.#hash ??= createHash("sha256");
    this.#hash.update(unescaped(this.#held, 0, whole));
    this.#held.copy(this.#held, 0, whole, ROOM);
    this.#length = ROOM - whole;
  }
}
