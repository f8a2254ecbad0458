import { NULL_CELL, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { RowBytes } from "./key-index.ts";

/** Rows of one table that lie in batches; nothing is made for one but two numbers. */
export class RowList {
  readonly #sources: RowBytes[] = [];
  readonly #sourceOf: number[] = [];
  readonly #rowOf: number[] = [];

  get length(): number {
    return this.#rowOf.length;
  }

  /** `row`: where its cells begin among those of `source`. */
  add(source: RowBytes, row: number): void {
    if (this.#sources.at(-1) !== source) this.#sources.push(source);
    this.#sourceOf.push(this.#sources.length - 1);
    this.#rowOf.push(row);
  }

  source(i: number): RowBytes {
    return this.#sources[this.#sourceOf[i]!]!;
  }

  row(i: number): number {
    return this.#rowOf[i]!;
  }
}

/** Rows of a table with `columns` columns of which some have values: texts in the order of `ordinals`, null for NULL. */
export function rowsOfTexts(
  columns: number,
  ordinals: readonly number[],
  texts: readonly (readonly (string | null)[])[],
): RowList {
  const cells = new Int32Array(2 * columns * texts.length).fill(UNCHANGED_CELL);
  const parts: Buffer[] = [];
  let length = 0;
  for (const [i, values] of texts.entries()) {
    for (const [at, text] of values.entries()) {
      const cell = 2 * (columns * i + ordinals[at]!);
      if (text === null) {
        cells[cell] = NULL_CELL;
        continue;
      }
      const part = Buffer.from(text);
      parts.push(part);
      cells[cell] = length;
      length += part.length;
      cells[cell + 1] = length;
    }
  }
  const source = { bytes: Buffer.concat(parts, length), cells };
  const rows = new RowList();
  for (let i = 0; i < texts.length; i++) rows.add(source, 2 * columns * i);
  return rows;
}
