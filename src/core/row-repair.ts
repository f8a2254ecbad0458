import type { TablePlan } from "./plan.ts";

/** One row in the text form that all engines share, as a ChangeBatch has it: where its cells are. */
export interface CellRow {
  readonly bytes: Uint8Array;
  readonly cells: Int32Array;
  /** Index of the row's first number in the cells. */
  readonly row: number;
}

/** Writes statements about rows of one table in the target's dialect, in UTF-8 and without an end such as a semicolon. */
export interface RepairStatements {
  /** Puts a row in. Of a table with a key: unless a row is there whose key is the same to the byte. */
  insert(row: CellRow): Buffer;
  /** Gives the row whose key is the same to the byte these values; cells that are UNCHANGED_CELL stay as they are. */
  update(row: CellRow): readonly Buffer[];
  /** Removes the row whose key is the same to the byte, or one of those that have all of these values. */
  delete(row: CellRow): Buffer;
}

/** Makes rows of a target those that they should be, by statements that anybody can carry out, or that it carries out itself. */
export interface RowRepair extends AsyncDisposable {
  /** The client of the target's kind that takes a file of statements: "psql -v ON_ERROR_STOP=1 -f FILE". */
  readonly client: string;
  /** What a session sets so that the statements mean what they should. Each without its end. */
  readonly settings: readonly string[];
  /** The statement that begins a transaction. `commit` ends it. */
  readonly begin: string;
  /** Foreign keys act on what the statements do. */
  readonly keysAct: boolean;
  /** Of a table that is there, as far as the plan's columns are; a plan of the same target may have another key, or other columns. */
  statements(plan: TablePlan): RepairStatements;
  /** What acts on the table beside the statements, in sentences: triggers that nobody can keep from it, say. */
  remarks(plan: TablePlan): readonly string[];
  /** Carries statements about the plan's table out in one transaction, of which nothing remains when it throws. */
  run(plan: TablePlan, statements: readonly Buffer[]): Promise<void>;
}
