import { BatchParts, type Beginning, TransactionPiece } from "../../../core/batch-parts.ts";
import {
  type BatchNotes,
  type ChangeBatch,
  type ChangeTransaction,
  OP_WIDTH,
} from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";

const INITIAL_CELLS = 1 << 12;

/** Collects the numbers of a ChangeBatch; take() hands out exact copies and starts over. */
export class ChangeBatchBuilder extends BatchParts {
  readonly #tables: readonly TableSchema[];
  readonly #encoding: ChangeBatch["encoding"];
  #noted: BatchNotes[] = [];
  /** Of the transaction in progress. */
  #notes: SchemaNote[] = [];
  /** Cells whose bytes are appended to the batch's; until then they count from there. */
  #appendedCells: number[] = [];
  /** What is appended, each once, with where it starts. */
  readonly #appended = new Map<Uint8Array, number>();
  #appendedLength = 0;
  /** The transaction in progress; its piece in this batch starts at op #pieceStart. */
  #open: Beginning | undefined;
  #pieceStart = 0;
  #begins = true;

  constructor(tables: readonly TableSchema[], encoding: ChangeBatch["encoding"]) {
    super(new Int32Array(INITIAL_CELLS));
    this.#tables = tables;
    this.#encoding = encoding;
  }

  get inTransaction(): boolean {
    return this.#open !== undefined;
  }

  /** Where the transaction in progress commits. */
  get position(): Position | undefined {
    return this.#open?.position;
  }

  begin(beginning: Beginning): void {
    this.#open = beginning;
    this.#pieceStart = this.opCount;
    this.#begins = true;
  }

  commit(): void {
    if (this.#notes.length > 0) {
      this.#noted.push({ transaction: this.transactions.length, notes: this.#notes });
      this.#notes = [];
    }
    this.#endPiece({ commits: true });
    this.#open = undefined;
  }

  /** Takes the transaction in progress back. Where a piece of it has been handed out, one follows that says so. */
  drop(): void {
    this.opCount = this.#pieceStart;
    this.misfits = this.misfits.filter(({ transaction }) => transaction < this.transactions.length);
    this.#notes = [];
    if (!this.#begins) this.#endPiece({ commits: false, takenBack: true });
    this.#open = undefined;
  }

  /** Makes a cell hold bytes that are not among those that the messages came in. */
  append(cell: number, bytes: Uint8Array): void {
    let start = this.#appended.get(bytes);
    if (start === undefined) {
      start = this.#appendedLength;
      this.#appended.set(bytes, start);
      this.#appendedLength += bytes.length;
    }
    this.cells[cell] = start;
    this.cells[cell + 1] = start + bytes.length;
    this.#appendedCells.push(cell);
  }

  /** Keeps a note until the transaction in progress commits. */
  note(note: SchemaNote): void {
    this.#notes.push(note);
  }

  /** What was collected, over the bytes its cells point into; undefined when there is nothing. */
  take(bytes: Uint8Array): ChangeBatch | undefined {
    const isPiece =
      this.opCount > this.#pieceStart || this.misfits.at(-1)?.transaction === this.transactions.length;
    if (this.#open !== undefined && isPiece) this.#endPiece({ commits: false });
    if (this.transactions.length === 0) return undefined;
    const batch: ChangeBatch = {
      bytes: this.#withAppended(bytes),
      cells: this.cells.slice(0, this.cellCount),
      encoding: this.#encoding,
      tables: this.#tables,
      ops: this.ops.slice(0, this.opCount * OP_WIDTH),
      transactions: this.transactions,
      ...(this.misfits.length === 0 ? {} : { misfits: this.misfits }),
      ...(this.#noted.length === 0 ? {} : { noted: this.#noted }),
    };
    this.transactions = [];
    this.misfits = [];
    this.#noted = [];
    this.cellCount = 0;
    this.opCount = 0;
    this.#pieceStart = 0;
    return batch;
  }

  #withAppended(bytes: Uint8Array): Uint8Array {
    if (this.#appended.size === 0) return bytes;
    for (const cell of this.#appendedCells) {
      this.cells[cell]! += bytes.length;
      this.cells[cell + 1]! += bytes.length;
    }
    const all = Buffer.concat([bytes, ...this.#appended.keys()]);
    this.#appendedCells = [];
    this.#appended.clear();
    this.#appendedLength = 0;
    return all;
  }

  #endPiece({ commits, takenBack = false }: Pick<ChangeTransaction, "commits" | "takenBack">): void {
    const piece = { start: this.#pieceStart, end: this.opCount, begins: this.#begins, commits, takenBack };
    this.transactions.push(new TransactionPiece(this.#open!, piece));
    this.#begins = false;
  }
}
