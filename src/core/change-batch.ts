import type { MigrationError } from "./error.ts";
import type { Position } from "./position.ts";
import type { TableSchema } from "./schema.ts";
import type { SchemaNote } from "./schema-note.ts";

/** Start of a cell's range when it holds no bytes. */
export const NULL_CELL = -1;
/** The source did not send the value because it has not changed: an unchanged TOAST, a minimal row image. */
export const UNCHANGED_CELL = -2;

/**
 * `deleteReferring` and `updateReferring` are what a foreign key has done by itself (ForeignKey.silent) to all rows of
 * a table that hold some values in it: how many there are shows only where the rows are, and so does what that does
 * to the rows that refer to these.
 */
export const Op = {
  insert: 1,
  update: 2,
  delete: 3,
  truncate: 4,
  deleteReferring: 5,
  updateReferring: 6,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/**
 * How cells are written: in PostgreSQL's binary form, or in the text form of their logical type that all engines
 * share (docs/decisions/021). Every engine takes "text".
 */
export type ChangeEncoding = "pg-binary" | "text";

/** Stride of `ChangeBatch.ops`. */
export const OP_WIDTH = 4;

/**
 * Changes in commit order as bytes; immutable, the receiver may keep it.
 *
 * A row is `2 * columns` consecutive numbers of `cells`: a [start, end) range of `bytes` for each
 * column of its table, or NULL_CELL / UNCHANGED_CELL as start. Rows are named by the index of their
 * first number.
 */
export interface ChangeBatch {
  readonly bytes: Uint8Array;
  readonly cells: Int32Array;
  /** How every cell is written. */
  readonly encoding: ChangeEncoding;
  /** The tables that occur, by source schema. */
  readonly tables: readonly TableSchema[];
  /**
   * Quads: Op, index into tables, row before (-1: not sent), row after (-1: none).
   * The row before holds the old key (other cells NULL_CELL) when `beforeIsKey`, else all columns.
   * One truncate op for each table truncated; those of one statement follow each other.
   * The row before of a referring op holds what rows have in the foreign key's columns, its row after what they get in
   * some of these; all other cells are UNCHANGED_CELL.
   */
  readonly ops: Int32Array;
  /** In commit order; each begins at the op at which the one before it ends. */
  readonly transactions: readonly ChangeTransaction[];
  /** Changes that are not among `ops` because they do not fit their table. None when left out. */
  readonly misfits?: readonly Misfit[];
  /**
   * Changes of rows of which it is not known whether the target has them: they are applied as ApplyMode.converge says. None
   * when left out.
   */
  readonly converging?: readonly ConvergingChanges[];
  /** How many values were cut off. None when left out. */
  readonly cuts?: readonly CutValues[];
  /** Transactions in which tables of the task were altered: what they hold from there on is left out. None when left out. */
  readonly noted?: readonly BatchNotes[];
}

/** Whether an op is about all rows that hold some values in a foreign key. */
export function isReferring(op: number): boolean {
  return op >= Op.deleteReferring;
}

export interface BatchNotes {
  /** Index into the batch's transactions, of the piece that commits. */
  readonly transaction: number;
  readonly notes: readonly SchemaNote[];
}

/**
 * A transaction changes a table that was another one then: other columns, another identity. Nothing of
 * the transaction may be applied unless the table's changes are skipped there.
 */
export interface Misfit {
  /** Index into the batch's transactions. */
  readonly transaction: number;
  /** Index into the batch's tables. */
  readonly table: number;
  readonly error: MigrationError;
}

/** All changes of a table in one transaction. */
export interface ConvergingChanges {
  /** Index into the batch's transactions. */
  readonly transaction: number;
  /** Index into the batch's tables. */
  readonly table: number;
}

/** Values of one transaction's rows of a table that rules have cut off. */
export interface CutValues extends ConvergingChanges {
  readonly count: number;
}

/** One transaction, or one piece of a transaction too big for one batch. Transactions without ops may occur. */
export interface ChangeTransaction {
  /** Ops [start, end) of the batch, counted in quads. */
  readonly start: number;
  readonly end: number;
  /** The commit's own position, known from the first piece on. */
  readonly position: Position;
  readonly id: string;
  /** When it committed, in milliseconds of the source's clock. */
  readonly committedAtMs: number;
  /** False for a piece that continues a transaction. */
  readonly begins: boolean;
  /** False for a piece that more will follow. */
  readonly commits: boolean;
  /**
   * True for a last piece, without ops, of a transaction that never commits: the source went down while it logged it
   * and has taken it back. Nothing of its pieces may be applied, and its position may come again. Left out: false.
   */
  readonly takenBack?: boolean;
}

/** Everything up to here has been sent; there was nothing more for this task. */
export interface Heartbeat {
  readonly kind: "heartbeat";
  readonly position: Position;
  /** What comes after lies beyond the place that was asked for (ChangeStreamRequest.until). True once, else left out. */
  readonly isAtPlace?: boolean;
}

export type StreamItem = { readonly kind: "changes"; readonly batch: ChangeBatch } | Heartbeat;
