import type { Finding } from "./finding.ts";
import type { Position } from "./position.ts";
import type { TableId, TableSchema } from "./schema.ts";
import type { TableShape } from "./table-shape.ts";

/**
 * What a source's log says of a table at the place where a statement has changed or made it. The notes of one
 * transaction stand among its changes, in order.
 */
export interface SchemaNote {
  /** What the table is called after the statement. */
  readonly id: TableId;
  readonly shape: TableShape;
  /** The number that the table has from there on, where its source knows tables by their names; absent: the same. */
  readonly becomes?: string;
  /** The table, or the index of that name, is no more; of the shape only the number counts. */
  readonly dropped: boolean;
  /** What the table has beside its columns; undefined when it is dropped. */
  readonly parts: TableParts | undefined;
  /** Enum types of its columns. */
  readonly enums: readonly EnumLabels[];
  /** The statement was about a type of its columns. */
  readonly isOfType: boolean;
  /** A task that prevents loops has done to this table what had been done to its own source's. */
  readonly isApplied: boolean;
  /** The statement wrote all rows anew. */
  readonly rewritten: boolean;
  /** Numbers of columns that hold NULL in rows which do not say another value: they, and their types, have no default. */
  readonly unfilled: readonly number[];
  /** Whatever it did to values, only their columns' types say how: it held no expression. */
  readonly plain: boolean;
  /** What an engine needs to describe the table as it was then; for that engine alone. */
  readonly text: string;
}

export interface EnumLabels {
  readonly id: TableId;
  readonly labels: readonly string[];
}

export type TableParts = Pick<TableSchema, "indexes" | "checks" | "foreignKeys" | "key" | "rowIdentity">;

/** The notes of one transaction that concern the task, in order. */
export interface NotedTransaction {
  /** The commit's own. */
  readonly position: Position;
  readonly notes: readonly SchemaNote[];
}

/** Whether a source tells of schema changes in its log. */
export interface NoteKeeping {
  /** Statements after this position are noted; undefined when none are. "always": as far back as the log goes. */
  readonly since: Position | "always" | undefined;
  /** How far the log has come: what the catalog shows from now on holds all that committed before. */
  readonly now: Position;
}

/**
 * What a task says to a note. "taken": the stream is to stop there. "over": it was followed, or nothing that the task does
 * depends on it. "left": the task does not follow it, and what it may mean for rows is to be told in another way.
 */
export type NoteAnswer = "taken" | "over" | "left";

export type NoteFilter = (note: SchemaNote, position: Position) => NoteAnswer;

export interface KeptNotes {
  readonly kept: boolean;
  /** The source did not have it made. It would be asked in vain again, and writes an error into its log each time. */
  readonly refused: boolean;
  readonly findings: readonly Finding[];
}
