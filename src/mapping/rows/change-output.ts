import {
  type ChangeBatch,
  type ChangeTransaction,
  type ConvergingChanges,
  type Misfit,
  NULL_CELL,
  OP_WIDTH,
  type Op,
} from "../../core/change-batch.ts";
import type { MigrationError } from "../../core/error.ts";
import type { Position } from "../../core/position.ts";
import type { TableSchema } from "../../core/schema.ts";

/** Changes as the rules leave them, while they are made. Rows and bytes of the batch stay where they are, others follow. */
export class ChangeOutput {
  readonly #batch: ChangeBatch;
  cells: Int32Array;
  #cellCount: number;
  readonly #ops: Int32Array;
  #opCount = 0;
  readonly #transactions: ChangeTransaction[] = [];
  readonly #misfits: Misfit[] = [];
  readonly #converging: ConvergingChanges[] = [];
  #made = Buffer.alloc(0);
  #madeLength = 0;
  /** Of the transaction at work. */
  #start = 0;

  /** `expected`: how many more numbers its cells take, about. */
  constructor(batch: ChangeBatch, expected: number) {
    this.#batch = batch;
    this.#cellCount = batch.cells.length;
    this.cells = new Int32Array(this.#cellCount + expected);
    this.cells.set(batch.cells);
    this.#ops = new Int32Array(batch.ops.length);
  }

  /** Room for a row, all NULL; its index in `cells`. */
  row(columns: number): number {
    const at = this.#cellCount;
    const end = at + 2 * columns;
    if (end > this.cells.length) {
      const larger = new Int32Array(Math.max(end, 2 * this.cells.length));
      larger.set(this.cells.subarray(0, at));
      this.cells = larger;
    }
    this.cells.fill(NULL_CELL, at, end);
    this.#cellCount = end;
    return at;
  }

  /** Makes a cell hold a text. */
  text(cell: number, text: string): void {
    this.#room(3 * text.length);
    const start = this.#madeLength;
    this.#madeLength += this.#made.write(text, start, "utf8");
    this.#hold(cell, start);
  }

  /** Room for so many bytes that a cell holds; what is written into them. */
  space(cell: number, length: number): Buffer {
    this.#room(length);
    const start = this.#madeLength;
    this.#madeLength += length;
    this.#hold(cell, start);
    return this.#made.subarray(start, this.#madeLength);
  }

  op(kind: Op, table: number, before: number, after: number): void {
    const at = this.#opCount++ * OP_WIDTH;
    this.#ops[at] = kind;
    this.#ops[at + 1] = table;
    this.#ops[at + 2] = before;
    this.#ops[at + 3] = after;
  }

  /** The transaction at work, whose index is that in the batch, changes a table in a way that cannot be carried out. */
  misfit(table: number, error: MigrationError): void {
    const transaction = this.#transactions.length;
    const last = this.#misfits.at(-1);
    if (last?.transaction !== transaction || last.table !== table) {
      this.#misfits.push({ transaction, table, error });
    }
  }

  converge(table: number): void {
    const transaction = this.#transactions.length;
    const isKnown = this.#converging.some((one) => one.transaction === transaction && one.table === table);
    if (!isKnown) this.#converging.push({ transaction, table });
  }

  /** The batch's next transaction is done. */
  endTransaction(): void {
    const given = this.#batch.transactions[this.#transactions.length]!;
    const isSame = given.start === this.#start && given.end === this.#opCount;
    this.#transactions.push(isSame ? given : new MovedTransaction(given, this.#start, this.#opCount));
    this.#start = this.#opCount;
  }

  take(tables: readonly TableSchema[]): ChangeBatch {
    const { misfits = [], ...batch } = this.#batch;
    const all = [...misfits, ...this.#misfits];
    return {
      ...batch,
      bytes:
        this.#madeLength === 0
          ? batch.bytes
          : Buffer.concat([batch.bytes, this.#made.subarray(0, this.#madeLength)]),
      cells: this.cells.subarray(0, this.#cellCount),
      tables,
      ops: this.#ops.subarray(0, this.#opCount * OP_WIDTH),
      transactions: this.#transactions,
      ...(all.length === 0 ? {} : { misfits: all }),
      ...(this.#converging.length === 0 ? {} : { converging: this.#converging }),
    };
  }

  #hold(cell: number, start: number): void {
    const { length } = this.#batch.bytes;
    this.cells[cell] = length + start;
    this.cells[cell + 1] = length + this.#madeLength;
  }

  #room(size: number): void {
    const needed = this.#madeLength + size;
    if (needed <= this.#made.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#made.length, 1 << 12));
    this.#made.copy(larger, 0, 0, this.#madeLength);
    this.#made = larger;
  }
}

/** What a source makes of a transaction only when it is asked stays so. */
class MovedTransaction implements ChangeTransaction {
  readonly start: number;
  readonly end: number;
  readonly #given: ChangeTransaction;

  constructor(given: ChangeTransaction, start: number, end: number) {
    this.#given = given;
    this.start = start;
    this.end = end;
  }

  get position(): Position {
    return this.#given.position;
  }

  get id(): string {
    return this.#given.id;
  }

  get committedAtMs(): number {
    return this.#given.committedAtMs;
  }

  get begins(): boolean {
    return this.#given.begins;
  }

  get commits(): boolean {
    return this.#given.commits;
  }

  get takenBack(): boolean {
    return this.#given.takenBack === true;
  }
}
