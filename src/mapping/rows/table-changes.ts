import { type ChangeBatch, NULL_CELL, Op, UNCHANGED_CELL } from "../../core/change-batch.ts";
import { MigrationError } from "../../core/error.ts";
import type { Mask, RowRules, TablePlan } from "../../core/plan.ts";
import { displayTable } from "../../core/schema.ts";
import { compileFilter, type FilterAnswer, type FilterTest } from "../filter/filter-test.ts";
import { ChangeCuts } from "./change-cuts.ts";
import type { ChangeOutput } from "./change-output.ts";
import { Expressions, type InputCells } from "./expression.ts";
import type { ChangeHeaders } from "./headers.ts";
import { isDigit, randomDigit, sha256 } from "./masks.ts";
import { keepsDeleted } from "./row-needs.ts";

/** The cells of one row of the source's. */
interface RowCells {
  cells: Int32Array;
  row: number;
}

/** What a column of the plan is made of, when that is a column of the source's. */
interface CopiedOrigin {
  readonly ordinal: number;
  readonly mask?: Mask;
}

/**
 * One table's changes by its plan: what a change tells of the row before and after it, whether the filter holds for them,
 * and the plan's rows that are made of them.
 *
 *     changes.use(batch, output)
 *     changes.look(before, after)                rows of the batch; -1 for one that was not sent
 *     changes.holdsBefore(), .holdsAfter()
 *     changes.makeAfter(headers), .makeBefore(headers)       rows of the output
 */
export class TableChanges implements InputCells {
  readonly plan: TablePlan;
  /** A row that the source deletes stays, and is told of by an expression. */
  readonly keepsDeleted: boolean;
  readonly #rules: RowRules;
  readonly #width: number;
  /** The source sends the whole row before. */
  readonly #isFull: boolean;
  readonly #isKey: Uint8Array;
  readonly #filter: FilterTest | undefined;
  readonly #expressions: Expressions | undefined;
  /** Of the row before all of the plan's columns are needed: nothing but its values tells it. */
  readonly #tellsAll: boolean;
  /** The row before is needed with the results of its expressions. */
  readonly #evaluatesBefore: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #output: ChangeOutput | undefined;
  readonly #after: RowCells = { cells: new Int32Array(0), row: -1 };
  readonly #before: RowCells = { cells: new Int32Array(0), row: -1 };
  /** The row that expressions are evaluated for. */
  #of: RowCells = this.#after;
  /** The row after is that before a delete. */
  #isKept = false;
  readonly #cuts: ChangeCuts;
  readonly #afterScratch: Int32Array;
  readonly #beforeScratch: Int32Array;

  constructor(plan: TablePlan) {
    this.plan = plan;
    const rules = plan.rows!;
    const { reads, columns } = rules;
    this.#rules = rules;
    this.#width = reads.columns.length;
    this.#isFull = reads.rowIdentity === "full";
    this.#isKey = new Uint8Array(this.#width);
    for (const ordinal of reads.key) this.#isKey[ordinal] = 1;
    this.keepsDeleted = keepsDeleted(columns);
    if (rules.filter !== undefined) this.#filter = compileFilter(rules.filter, reads);
    if (columns.some(({ kind }) => kind === "expression")) this.#expressions = new Expressions(plan);
    const { key, rowIdentity } = plan.source;
    this.#tellsAll = rowIdentity === "full" && key.length === 0;
    this.#evaluatesBefore = this.#tellsAll || key.some((ordinal) => columns[ordinal]!.kind === "expression");
    this.#cuts = new ChangeCuts(plan);
    this.#afterScratch = new Int32Array(2 * this.#width);
    this.#beforeScratch = new Int32Array(2 * this.#width);
  }

  use({ bytes, cells, encoding }: ChangeBatch, output: ChangeOutput): void {
    this.#cuts.use(encoding);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#output = output;
    this.#after.cells = cells;
    this.#before.cells = cells;
  }

  /** A change's rows, as indexes into the batch's cells. What does not show in one of them, but in the other, is filled in. */
  look(op: Op, cells: Int32Array, before: number, after: number): void {
    this.#isKept = false;
    this.#after.cells = cells;
    this.#after.row = after;
    this.#before.cells = cells;
    this.#before.row = before;
    if (op === Op.insert) return;
    if (before >= 0 && after >= 0) this.#fillAfter(cells, before, after);
    if (before < 0 || !this.#isFull) this.#fillBefore(cells, before < 0 ? after : before);
  }

  /** The row before as the one that follows a delete, which changes no value of it. */
  lookKept(): void {
    this.#isKept = true;
    this.#after.cells = this.#before.cells;
    this.#after.row = this.#before.row;
  }

  holdsAfter(): FilterAnswer {
    return this.#holds(this.#after);
  }

  holdsBefore(): FilterAnswer {
    return this.#holds(this.#before);
  }

  /** Whether every value of the row after is known. */
  get isWhole(): boolean {
    const { cells, row } = this.#after;
    for (let i = 0; i < this.#width; i++) if (cells[row + 2 * i] === UNCHANGED_CELL) return false;
    return true;
  }

  /** How many values of rows after changes were cut off since this was asked last. */
  takeCuts(): number {
    return this.#cuts.take();
  }

  makeAfter(headers: ChangeHeaders): number {
    const row = this.#make(this.#after, true);
    this.#evaluate(row, this.#after, headers);
    return row;
  }

  /** Cells of which the row before does not tell are NULL. */
  makeBefore(headers: ChangeHeaders): number {
    const row = this.#make(this.#before, false);
    if (this.#evaluatesBefore) this.#evaluate(row, this.#before, headers);
    const { cells } = this.#output!;
    const end = row + 2 * this.plan.source.columns.length;
    for (let cell = row; cell < end; cell += 2) if (cells[cell] === UNCHANGED_CELL) cells[cell] = NULL_CELL;
    return row;
  }

  /**
   * A row of which only what a foreign key is about is told; -1 when nothing of it is among the plan's columns.
   * `needsAll`: throws `apply.value_not_sent` when not all of it is.
   */
  makeReferring(cells: Int32Array, from: number, needsAll: boolean): number {
    const { columns, filter = [] } = this.#rules;
    const made = this.#output!.row(columns.length);
    const held = new Set<number>();
    for (let i = 0; i < this.#width; i++) if (cells[from + 2 * i] !== UNCHANGED_CELL) held.add(i);
    let count = 0;
    for (const [i, origin] of columns.entries()) {
      const isHeld = origin.kind === "column" && held.has(origin.ordinal);
      if (isHeld) this.#copy(made + 2 * i, { cells, row: from }, i);
      else this.#output!.cells[made + 2 * i] = UNCHANGED_CELL;
      if (isHeld) count++;
      if (origin.kind !== "expression" || needsAll) continue;
      const isInput = origin.expression.inputs.some(
        (input) => input.kind === "column" && held.has(input.ordinal),
      );
      if (isInput) throw this.notSent("which rows a foreign key has changed by itself");
    }
    const isFiltered = !needsAll && filter.some((clause) => clause.some(({ column }) => held.has(column)));
    if (isFiltered || (needsAll && count < held.size)) {
      throw this.notSent("which rows a foreign key has changed by itself");
    }
    return count === 0 ? -1 : made;
  }

  give(inputs: Expressions, place: number, ordinal: number, isBefore: boolean): void {
    const from = isBefore ? this.#before : this.#of;
    const start = from.row < 0 ? NULL_CELL : from.cells[from.row + 2 * ordinal]!;
    if (start < 0) inputs.takeNull(place);
    else inputs.take(place, this.#bytes, start, from.cells[from.row + 2 * ordinal + 1]!);
  }

  /** `what` follows "does not tell". */
  notSent(what: string): MigrationError {
    const { id } = this.plan.source;
    return new MigrationError("apply.value_not_sent", {
      message: `A change does not tell ${what}, which the table mappings need.`,
      subject: displayTable(id),
      table: id,
    });
  }

  #holds({ cells, row }: RowCells): FilterAnswer {
    return this.#filter === undefined || this.#filter.holds(this.#bytes, cells, row);
  }

  /** What was not sent of the row after is what it was. */
  #fillAfter(cells: Int32Array, before: number, after: number): void {
    const scratch = this.#afterScratch;
    let isFilled = false;
    for (let i = 0; i < 2 * this.#width; i += 2) {
      if (cells[after + i] !== UNCHANGED_CELL || !this.#tells(i >> 1)) continue;
      if (!isFilled) scratch.set(cells.subarray(after, after + 2 * this.#width));
      isFilled = true;
      scratch[i] = cells[before + i]!;
      scratch[i + 1] = cells[before + i + 1]!;
    }
    if (!isFilled) return;
    this.#after.cells = scratch;
    this.#after.row = 0;
  }

  /** Of the row before only the key is known; where it did not change it is that of the row after. */
  #fillBefore(cells: Int32Array, from: number): void {
    const scratch = this.#beforeScratch;
    for (let i = 0; i < 2 * this.#width; i += 2) {
      const isKnown = this.#isKey[i >> 1] === 1;
      scratch[i] = isKnown ? cells[from + i]! : UNCHANGED_CELL;
      scratch[i + 1] = isKnown ? cells[from + i + 1]! : UNCHANGED_CELL;
    }
    this.#before.cells = scratch;
    this.#before.row = 0;
  }

  #tells(ordinal: number): boolean {
    return this.#isFull || this.#isKey[ordinal] === 1;
  }

  /** The plan's row, but for the results of expressions. `isAfter`: columns that show the row before show it. */
  #make(from: RowCells, isAfter: boolean): number {
    const { columns } = this.#rules;
    const made = this.#output!.row(columns.length);
    this.#cuts.counts(isAfter);
    for (let i = 0; i < columns.length; i++) {
      const origin = columns[i]!;
      if (origin.kind === "column") this.#copy(made + 2 * i, from, i);
      else if (origin.kind === "before" && isAfter && !this.#isKept) this.#copyBefore(made + 2 * i, i);
    }
    return made;
  }

  #copyBefore(cell: number, column: number): void {
    const { cells, row } = this.#before;
    const { ordinal } = this.#rules.columns[column] as CopiedOrigin;
    if (row >= 0 && cells[row + 2 * ordinal]! >= 0) this.#copy(cell, this.#before, column);
  }

  /** `column`: of the plan, with a value of the source's. */
  #copy(cell: number, { cells, row }: RowCells, column: number): void {
    const output = this.#output!;
    const { ordinal, mask } = this.#rules.columns[column] as CopiedOrigin;
    const start = cells[row + 2 * ordinal]!;
    let end = cells[row + 2 * ordinal + 1]!;
    if (start >= 0 && !this.#cuts.fits(column, end - start))
      end = this.#cuts.endOf(column, this.#bytes, start);
    if (start < 0 || mask === undefined) {
      output.cells[cell] = start;
      output.cells[cell + 1] = end;
    } else if (mask.kind === "hash") {
      output.text(cell, sha256(this.#bytes.subarray(start, end)));
    } else {
      const isRandom = mask.kind === "random-digits";
      const masked = output.space(cell, end - start);
      for (let i = 0; i < masked.length; i++) {
        const byte = this.#bytes[start + i]!;
        masked[i] = !isDigit(byte) ? byte : isRandom ? randomDigit() : mask.by;
      }
    }
  }

  #evaluate(made: number, of: RowCells, headers: ChangeHeaders): void {
    const expressions = this.#expressions;
    if (expressions === undefined) return;
    this.#of = of;
    expressions.evaluate(this, headers);
    // Of a row before that is told by its key nothing else is asked for.
    const { key } = this.plan.source;
    const isByKey = of === this.#before && !this.#tellsAll;
    for (let i = 0; i < expressions.made.length; i++) {
      if (isByKey && !key.includes(expressions.made[i]!)) continue;
      const cell = made + 2 * expressions.made[i]!;
      const text = expressions.texts[i]!;
      if (this.#isUnchanged(expressions.made[i]!, of)) this.#output!.cells[cell] = UNCHANGED_CELL;
      else if (text !== null) this.#output!.text(cell, text);
    }
  }

  /** Whether a result is what it was: nothing that it is made of was sent. Throws when only a part of that was. */
  #isUnchanged(ordinal: number, { cells, row }: RowCells): boolean {
    const origin = this.#rules.columns[ordinal]!;
    if (origin.kind !== "expression") return false;
    let lacks = false;
    let isOther = false;
    for (const input of origin.expression.inputs) {
      if (input.kind !== "column") isOther ||= input.kind !== "constant";
      else if (cells[row + 2 * input.ordinal] === UNCHANGED_CELL) lacks = true;
      else isOther ||= !this.#isKept;
    }
    if (lacks && isOther) {
      const { name } = this.plan.target.columns[ordinal]!;
      throw this.notSent(`all values that the expression of the column ${name} is made of`);
    }
    return lacks;
  }
}
