import type { CellCut } from "./cell-cut.ts";
import { hasEscapes, isNullCell, unescaped } from "./copy-text.ts";
import type { Expressions } from "./expression.ts";

const FIRST_ROOM = 1 << 12;

/** Cells of one row in COPY's text format, which are kept until others have been made of them. */
export class HeldCells {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_ROOM);
  #length = 0;
  /** Of each place. */
  readonly #start: Int32Array;
  readonly #end: Int32Array;

  constructor(places: number) {
    this.#start = new Int32Array(places);
    this.#end = new Int32Array(places);
  }

  /** A place's cell comes next. */
  begin(place: number): void {
    this.#start[place] = this.#length;
    this.#end[place] = this.#length;
  }

  /** `bytes` [start, end) of it. */
  add(place: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    const held = this.#bytes;
    const to = this.#length;
    for (let i = 0; i < length; i++) held[to + i] = bytes[start + i]!;
    this.#length = to + length;
    this.#end[place] = this.#length;
  }

  /** Another row comes. */
  clear(): void {
    this.#length = 0;
  }

  isNull(place: number): boolean {
    return isNullCell(this.#bytes, this.#start[place]!, this.#end[place]!);
  }

  /** Bytes of the cell, as it came. */
  size(place: number): number {
    return this.#end[place]! - this.#start[place]!;
  }

  /** How much of the cell, as it came, comes of a value that may have `limit` bytes. `cut` tells whether that is all. */
  fitting(place: number, limit: number, cut: CellCut): number {
    const start = this.#start[place]!;
    cut.begin(limit);
    return cut.take(this.#bytes, start, this.#end[place]!, true) - start;
  }

  /** Copies its first `size` bytes, as they came, to where `out` has room for them. */
  copy(place: number, size: number, out: Buffer, at: number): void {
    const start = this.#start[place]!;
    this.#bytes.copy(out, at, start, start + size);
  }

  /** What its first `size` bytes stand for. */
  value(place: number, size: number): Buffer {
    const start = this.#start[place]!;
    return unescaped(this.#bytes, start, start + size);
  }

  /** Gives the value to expressions, as what they call `input`. */
  give(place: number, expressions: Expressions, input: number): void {
    const start = this.#start[place]!;
    const end = this.#end[place]!;
    if (isNullCell(this.#bytes, start, end)) expressions.takeNull(input);
    else if (!hasEscapes(this.#bytes, start, end)) expressions.take(input, this.#bytes, start, end);
    else {
      const value = this.value(place, end - start);
      expressions.take(input, value, 0, value.length);
    }
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + size, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
