import type { ChangeEncoding } from "../../core/change-batch.ts";
import type { ColumnOrigin, TablePlan } from "../../core/plan.ts";
import { binaryCut, cutsBytes, endOfWhole, textCut, valueCut } from "./cuts.ts";

/** How much comes of the values of one table's changes. */
export class ChangeCuts {
  readonly #plan: TablePlan;
  readonly #columns: readonly ColumnOrigin[];
  /** Most bytes of each column of the plan, in both encodings; Infinity for all. */
  readonly #text: Float64Array;
  readonly #binary: Float64Array;
  #limits: Float64Array;
  /** Whether columns hold bytes and not characters. */
  readonly #isBytes: readonly boolean[];
  #encoding: ChangeEncoding = "text";
  #counts = true;
  #count = 0;

  constructor(plan: TablePlan) {
    this.#plan = plan;
    this.#columns = plan.rows!.columns;
    this.#text = Float64Array.from(this.#columns, (origin) => textCut(origin, plan) ?? Infinity);
    this.#binary = Float64Array.from(this.#columns, (origin) => binaryCut(origin) ?? Infinity);
    this.#limits = this.#text;
    this.#isBytes = this.#columns.map((origin) => cutsBytes(origin, plan));
  }

  use(encoding: ChangeEncoding): void {
    this.#encoding = encoding;
    this.#limits = encoding === "text" ? this.#text : this.#binary;
  }

  /** Rows follow that the target gets, and not those that it has. */
  counts(isNew: boolean): void {
    this.#counts = isNew;
  }

  /** Whether a value of so many bytes comes whole. */
  fits(column: number, length: number): boolean {
    return length <= this.#limits[column]!;
  }

  /**
   * Where what comes of a value that begins at `start` ends, when it `fits` not: after as many whole characters as have
   * room. Throws `mapping.value_cut` where none may be cut off.
   */
  endOf(column: number, bytes: Uint8Array, start: number): number {
    const limit = this.#limits[column]!;
    if (this.#counts && this.#plan.rows!.refusesCuts === true) {
      throw valueCut(this.#plan, this.#columns[column]!);
    }
    if (this.#counts) this.#count++;
    // Bytes as text are digits, of which there are two for each.
    const isCharacters = this.#encoding === "text" || !this.#isBytes[column];
    return isCharacters ? endOfWhole(bytes, start, limit) : start + limit;
  }

  /** How many values were cut off since this was asked last. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}
