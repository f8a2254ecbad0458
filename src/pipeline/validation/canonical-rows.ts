import { canonicalWriter } from "../../comparison/canonical.ts";
import { CanonicalRow } from "../../comparison/canonical-row.ts";
import { md5 } from "../../comparison/md5.ts";
import type { CopyTextRows } from "../../core/copy-text-rows.ts";
import type { ComparedSide } from "./compared-side.ts";

/** Shorter values stand for themselves. */
const LONGEST_PRINT = 32;

/** Rows that are read of one side, in the form in which both sides are compared. `row`: the number of one of them. */
export class CanonicalRows {
  readonly #side: ComparedSide;
  readonly #row: CanonicalRow;
  readonly #cells: (Buffer | null)[];
  readonly #writers: readonly ((cell: Buffer) => Buffer)[];

  constructor(side: ComparedSide) {
    this.#side = side;
    this.#row = new CanonicalRow(side.cells);
    this.#cells = side.cells.map(() => null);
    this.#writers = side.cells.map(({ column, form }) => canonicalWriter(column, form));
  }

  /** Writes a row's text. */
  written(rows: CopyTextRows, row: number): CanonicalRow {
    this.#row.write(this.values(rows, row));
    return this.#row;
  }

  /** What was read of the compared columns, null for NULL. It holds until another row is looked at. */
  values(rows: CopyTextRows, row: number): readonly (Buffer | null)[] {
    for (let place = 0; place < this.#cells.length; place++) this.#cells[place] = this.raw(rows, row, place);
    return this.#cells;
  }

  /** A value as it was read; null for NULL. `place`: into the compared columns. */
  raw(rows: CopyTextRows, row: number, place: number): Buffer | null {
    const { cells, width } = this.#side;
    const from = 2 * (row * width + cells[place]!.cell);
    const start = rows.cells[from]!;
    return start < 0 ? null : rows.bytes.subarray(start, rows.cells[from + 1]);
  }

  /** print() of each compared column. */
  prints(rows: CopyTextRows, row: number): readonly string[] {
    return this.#cells.map((_, place) => this.print(rows, row, place));
  }

  /** A text that is the same for values that are compared as the same, and short. */
  print(rows: CopyTextRows, row: number, place: number): string {
    return printOf(this.raw(rows, row, place), this.#writers[place]!);
  }
}

/** `writer`: see canonicalWriter(). */
export function printOf(raw: Buffer | null, writer: (cell: Buffer) => Buffer): string {
  if (raw === null) return "~";
  const text = writer(raw);
  return text.length > LONGEST_PRINT ? `#${md5(text)}` : `=${text.toString("latin1")}`;
}
