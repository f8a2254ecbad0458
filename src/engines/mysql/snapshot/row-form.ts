/** What pieceHead() answers for cells that are short. */
export const NOT_IN_PIECES = -1;

/**
 * A form that the rows of one read are written in. Where a function takes bytes [from, to) of `source`, it writes to
 * `target` from `at` on and returns where it stopped.
 */
export interface RowForm {
  /** Columns of a row. */
  readonly count: number;
  /** The most that a row takes beyond twice its bytes. */
  readonly slack: number;
  /** Before the first row and after the last. */
  readonly head: Buffer;
  readonly tail: Buffer;
  /** A byte between two cells, and one after the last; -1 for none. */
  readonly separator: number;
  readonly terminator: number;
  /** The number of its cells, in two bytes, stands before a row. */
  readonly isCounted: boolean;
  writeNull(target: Buffer, at: number): number;
  write(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number;
  /** How many bytes of a long cell are wanted together before the rest may come in pieces, or NOT_IN_PIECES. */
  pieceHead(column: number): number;
  /** What stands before the pieces of a cell of `length` bytes; `head` has its first ones, as many as pieceHead() says. */
  beginPieces(column: number, length: number, head: Buffer, target: Buffer, at: number): number;
  writePiece(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number;
}
