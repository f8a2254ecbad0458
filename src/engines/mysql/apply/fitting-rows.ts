import { NULL_CELL } from "../../../core/change-batch.ts";
import { LONGEST_DATE, type RangeRule } from "../values/out-of-range.ts";

/** Where one row's cells are. Reused from row to row. */
export interface RowAt {
  bytes: Uint8Array;
  cells: Int32Array;
  /** Index of the row in the cells. */
  row: number;
}

export interface FittingRowsOptions {
  /** Knows the plan's columns by their ordinals. */
  readonly rule: RangeRule;
  /** So many has the plan. */
  readonly columns: number;
  /** Those of them that are used of a row. */
  readonly used: readonly number[];
}

/** The cells of a row whose values the target's types have, others in their places where they have not. */
export class FittingRows {
  /** So many values have come as others. */
  replaced = 0;
  readonly #rule: RangeRule;
  readonly #columns: number;
  readonly #checked: readonly number[];
  readonly #made: RowAt;
  #bytes: Buffer = Buffer.alloc(0);
  /** Where what comes next goes. */
  #end = 0;

  constructor({ rule, columns, used }: FittingRowsOptions) {
    this.#rule = rule;
    this.#columns = columns;
    this.#checked = used.filter((ordinal) => rule.checks(ordinal));
    this.#made = { bytes: this.#bytes, cells: new Int32Array(2 * columns), row: 0 };
  }

  /** The row itself when what is used of it fits, as that of an earlier call does; else one that is good until the next. */
  fit(row: RowAt): RowAt {
    let fitting = row;
    for (const ordinal of this.#checked) {
      const cell = row.row + 2 * ordinal;
      const start = row.cells[cell]!;
      if (start < 0) continue;
      const instead = this.#rule.instead(ordinal, row.bytes, start, row.cells[cell + 1]!);
      if (instead === undefined) continue;
      this.replaced++;
      if (fitting === row) fitting = this.#copy(row);
      this.#put(ordinal, instead);
    }
    return fitting;
  }

  /** Its cells one after the other, with room behind them for what comes instead of some. */
  #copy({ bytes, cells, row }: RowAt): RowAt {
    const made = this.#made;
    let size = 0;
    for (let i = 0; i < 2 * this.#columns; i += 2) {
      const start = cells[row + i]!;
      const length = start < 0 ? 0 : cells[row + i + 1]! - start;
      made.cells[i] = start < 0 ? start : size;
      made.cells[i + 1] = size + length;
      size += length;
    }
    const room = size + this.#columns * LONGEST_DATE;
    if (this.#bytes.length < room) this.#bytes = Buffer.allocUnsafeSlow(2 * room);
    made.bytes = this.#bytes;
    for (let i = 0; i < 2 * this.#columns; i += 2) {
      const start = cells[row + i]!;
      if (start >= 0) this.#bytes.set(bytes.subarray(start, cells[row + i + 1]), made.cells[i]);
    }
    this.#end = size;
    return made;
  }

  #put(ordinal: number, instead: Buffer | null): void {
    const { cells } = this.#made;
    if (instead === null) {
      cells[2 * ordinal] = NULL_CELL;
      return;
    }
    this.#bytes.set(instead, this.#end);
    cells[2 * ordinal] = this.#end;
    this.#end += instead.length;
    cells[2 * ordinal + 1] = this.#end;
  }
}
