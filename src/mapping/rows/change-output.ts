import { BatchParts, TransactionPiece } from "../../core/batch-parts.ts";
import {
  type ChangeBatch,
  type ConvergingChanges,
  type CutValues,
  OP_WIDTH,
} from "../../core/change-batch.ts";
import type { TableSchema } from "../../core/schema.ts";

/** Changes as the rules leave them, while they are made. Rows and bytes of the batch stay where they are, others follow. */
export class ChangeOutput extends BatchParts {
  readonly #batch: ChangeBatch;
  readonly #converging: ConvergingChanges[] = [];
  readonly #cuts: { -readonly [K in keyof CutValues]: CutValues[K] }[] = [];
  /** By table, the last transaction that is among them: a batch may have ten thousands of both. */
  readonly #convergesIn: number[] = [];
  #made = Buffer.alloc(0);
  #madeLength = 0;
  /** Of the transaction at work. */
  #start = 0;

  /** `expected`: how many more numbers its cells take, about. */
  constructor(batch: ChangeBatch, expected: number) {
    const cells = new Int32Array(batch.cells.length + expected);
    cells.set(batch.cells);
    super(cells, batch.cells.length, batch.ops.length);
    this.#batch = batch;
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

  converge(table: number): void {
    const transaction = this.transactions.length;
    if (this.#convergesIn[table] === transaction) return;
    this.#convergesIn[table] = transaction;
    this.#converging.push({ transaction, table });
  }

  /** So many values of the transaction's rows of a table were cut off. */
  cut(table: number, count: number): void {
    const transaction = this.transactions.length;
    const last = this.#cuts.at(-1);
    if (last?.transaction === transaction && last.table === table) last.count += count;
    else this.#cuts.push({ transaction, table, count });
  }

  /** The batch's next transaction is done. */
  endTransaction(): void {
    const given = this.#batch.transactions[this.transactions.length]!;
    const start = this.#start;
    const end = this.opCount;
    const { begins, commits, takenBack = false } = given;
    const isSame = given.start === start && given.end === end;
    this.transactions.push(
      isSame ? given : new TransactionPiece(given, { start, end, begins, commits, takenBack }),
    );
    this.#start = end;
  }

  take(tables: readonly TableSchema[]): ChangeBatch {
    const { misfits = [], ...batch } = this.#batch;
    const all = [...misfits, ...this.misfits];
    return {
      ...batch,
      bytes:
        this.#madeLength === 0
          ? batch.bytes
          : Buffer.concat([batch.bytes, this.#made.subarray(0, this.#madeLength)]),
      cells: this.cells.subarray(0, this.cellCount),
      tables,
      ops: this.ops.subarray(0, this.opCount * OP_WIDTH),
      transactions: this.transactions,
      ...(all.length === 0 ? {} : { misfits: all }),
      ...(this.#converging.length === 0 ? {} : { converging: this.#converging }),
      ...(this.#cuts.length === 0 ? {} : { cuts: this.#cuts }),
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
