import { type ChangeTransaction, type Misfit, NULL_CELL, OP_WIDTH, type Op } from "./change-batch.ts";
import type { MigrationError } from "./error.ts";
import type { Position } from "./position.ts";

/** What is known of a transaction when it begins. Getters, where what few are asked for costs something to make. */
export type Beginning = Pick<ChangeTransaction, "position" | "id" | "committedAtMs">;

type PieceOf = Required<Pick<ChangeTransaction, "start" | "end" | "begins" | "commits" | "takenBack">>;

/** There may be a hundred thousand a second: what a beginning makes only when it is asked stays so. */
export class TransactionPiece implements ChangeTransaction {
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

const INITIAL_OPS = 1 << 9;

/** The parts of a ChangeBatch that whoever makes one adds to, change by change. */
export class BatchParts {
  cells: Int32Array;
  protected cellCount: number;
  protected ops: Int32Array;
  protected opCount = 0;
  protected transactions: ChangeTransaction[] = [];
  protected misfits: Misfit[] = [];

  /** `cells`, of which the first `cellCount` numbers are taken, and room for so many numbers of ops to begin with. */
  constructor(cells: Int32Array, cellCount = 0, ops = INITIAL_OPS) {
    this.cells = cells;
    this.cellCount = cellCount;
    this.ops = new Int32Array(ops);
  }

  /** Room for a row of `columns` cells, all NULL; returns its index in `cells`. */
  row(columns: number): number {
    const at = this.cellCount;
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
    this.cellCount = end;
    return at;
  }

  op(kind: Op, table: number, before: number, after: number): void {
    const at = this.opCount * OP_WIDTH;
    if (at === this.ops.length) {
      const larger = new Int32Array(Math.max(INITIAL_OPS, 2 * this.ops.length));
      larger.set(this.ops);
      this.ops = larger;
    }
    const { ops } = this;
    ops[at] = kind;
    ops[at + 1] = table;
    ops[at + 2] = before;
    ops[at + 3] = after;
    this.opCount++;
  }

  /** The transaction in progress changes a table in a way that cannot be carried out; told once a table. */
  misfit(table: number, error: MigrationError): void {
    const transaction = this.transactions.length;
    const last = this.misfits.at(-1);
    if (last?.transaction !== transaction || last.table !== table) {
      this.misfits.push({ transaction, table, error });
    }
  }
}
