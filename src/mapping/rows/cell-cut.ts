import { BACKSLASH } from "./copy-text.ts";
import { sequenceLength } from "./utf8.ts";

/**
 * How much passes of a cell in COPY's text format that comes in pieces: as many whole characters as have no more than so
 * many bytes, escapes counted as what they stand for.
 */
export class CellCut {
  /** Bytes of the value that still have room. */
  #left = 0;
  /** Bytes still to come of a character that has it. */
  #rest = 0;
  /** A backslash passed last. */
  #isEscape = false;
  #isCut = false;

  begin(limit: number): void {
    this.#left = limit;
    this.#rest = 0;
    this.#isEscape = false;
    this.#isCut = false;
  }

  /** Whether something of the cell has not passed. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Where what passes of the cell's next bytes, [start, end), comes to its end. `isLast`: no more follow. */
  take(bytes: Uint8Array, start: number, end: number, isLast: boolean): number {
    if (this.#isCut) return start;
    // No value is longer than what it is written in.
    if (isLast && end - start <= this.#left) return end;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (this.#isEscape) {
        this.#isEscape = false;
        this.#left--;
        continue;
      }
      if (this.#rest > 0) {
        this.#rest--;
        continue;
      }
      const size = Math.max(1, sequenceLength(byte));
      if (size > this.#left) {
        this.#isCut = true;
        return at;
      }
      if (byte === BACKSLASH) this.#isEscape = true;
      else {
        this.#left -= size;
        this.#rest = size - 1;
      }
    }
    return end;
  }
}
