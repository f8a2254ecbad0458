import {
  type BatchNotes,
  type ChangeBatch,
  type ChangeTransaction,
  type Misfit,
  NULL_CELL,
  OP_WIDTH,
  type Op,
} from "../../../core/change-batch.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";

/** What is known of a transaction when it begins. Getters, where what few are asked for costs something to make. */
export type Beginning = Pick<ChangeTransaction, "position" | "id" | "committedAtMs">;

type PieceOf = Required<Pick<ChangeTransaction, "start" | "end" | "begins" | "commits" | "takenBack">>;

/** There may be a hundred thousand a second: what a beginning makes only when it is asked stays so. */
class Transaction implements ChangeTransaction {
  readonly start: number;
  readonly end: number;
  readonly begins: boolean;
  readonly commits: boolean;
  readonly takenBack: boolean;
  readonly #beginning: Beginning;

  constructor(beginning: Beginning, piece: PieceOf) {
    this.#beginning = beginning;
    this.start = piece.start;
    this.end = piece.end;
    this.begins = piece.begins;
    this.commits = piece.commits;
    this.takenBack = piece.takenBack;
  }

  get position(): Position {
    return this.#beginning.position;
  }

  get id(): string {
    return this.#beginning.id;
  }

  get committedAtMs(): number {
    return this.#beginning.committedAtMs;
  }
}

const INITIAL_CELLS = 1 << 12;
const INITIAL_OPS = 1 << 9;

/** Collects the numbers of a ChangeBatch; take() hands out exact copies and starts over. */
export class ChangeBatchBuilder {
  readonly #tables: readonly TableSchema[];
  readonly #encoding: ChangeBatch["encoding"];
  cells = new Int32Array(INITIAL_CELLS);
  #cellCount = 0;
  #ops = new Int32Array(INITIAL_OPS);
  #opCount = 0;
  #transactions: ChangeTransaction[] = [];
  #misfits: Misfit[] = [];
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
    this.#pieceStart = this.#opCount;
    this.#begins = true;
  }

  commit(): void {
    if (this.#notes.length > 0) {
      this.#noted.push({ transaction: this.#transactions.length, notes: this.#notes });
      this.#notes = [];
    }
    this.#endPiece({ commits: true });
    this.#open = undefined;
  }

  /** Takes the transaction in progress back. Where a piece of it has been handed out, one follows that says so. */
  drop(): void {
    this.#opCount = this.#pieceStart;
    this.#misfits = this.#misfits.filter(({ transaction }) => transaction < this.#transactions.length);
    this.#notes = [];
    if (!this.#begins) this.#endPiece({ commits: false, takenBack: true });
    this.#open = undefined;
  }

  /** Room for a row of `columns` cells, all NULL; returns its index in `cells`. */
  row(columns: number): number {
    const at = this.#cellCount;
    const end = at + 2 * columns;
    if (end > this.cells.length) {
      const larger = new Int32Array(Math.max(end, 2 * this.cells.length));
      larger.set(this.cells.subarray(0, at));
      this.cells = larger;
    }
    const { cells } = this;
    // A call into the runtime costs as much as some dozen numbers.
    if (columns > 16) cells.fill(NULL_CELL, at, end);
    else for (let i = at; i < end; i++) cells[i] = NULL_CELL;
    this.#cellCount = end;
    return at;
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

  op(kind: Op, table: number, before: number, after: number): void {
    const at = this.#opCount * OP_WIDTH;
    if (at === this.#ops.length) {
      const larger = new Int32Array(2 * this.#ops.length);
      larger.set(this.#ops);
      this.#ops = larger;
    }
    const ops = this.#ops;
    ops[at] = kind;
    ops[at + 1] = table;
    ops[at + 2] = before;
    ops[at + 3] = after;
    this.#opCount++;
  }

  /** Notes that the transaction in progress changes a table in a way that does not fit it. */
  misfit(table: number, error: MigrationError): void {
    const transaction = this.#transactions.length;
    const last = this.#misfits.at(-1);
    if (last?.transaction !== transaction || last.table !== table) {
      this.#misfits.push({ transaction, table, error });
    }
  }

  /** Keeps a note until the transaction in progress commits. */
  note(note: SchemaNote): void {
    this.#notes.push(note);
  }

  /** What was collected, over the bytes its cells point into; undefined when there is nothing. */
  take(bytes: Uint8Array): ChangeBatch | undefined {
    const isPiece =
      this.#opCount > this.#pieceStart || this.#misfits.at(-1)?.transaction === this.#transactions.length;
    if (this.#open !== undefined && isPiece) this.#endPiece({ commits: false });
    if (this.#transactions.length === 0) return undefined;
    const batch: ChangeBatch = {
      bytes: this.#withAppended(bytes),
      cells: this.cells.slice(0, this.#cellCount),
      encoding: this.#encoding,
      tables: this.#tables,
      ops: this.#ops.slice(0, this.#opCount * OP_WIDTH),
      transactions: this.#transactions,
      ...(this.#misfits.length === 0 ? {} : { misfits: this.#misfits }),
      ...(this.#noted.length === 0 ? {} : { noted: this.#noted }),
    };
    this.#transactions = [];
    this.#misfits = [];
    this.#noted = [];
    this.#cellCount = 0;
    this.#opCount = 0;
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
    const piece = { start: this.#pieceStart, end: this.#opCount, begins: this.#begins, commits, takenBack };
    this.#transactions.push(new Transaction(this.#open!, piece));
    this.#begins = false;
  }
}
