import type { MigrationError } from "../../core/error.ts";
import type { TableId } from "../../core/schema.ts";
import type { KeyLookup } from "./candidate.ts";
import type { ColumnNote, UncomparedColumn } from "./compared-table.ts";
import type { TableTotals } from "./total-table.ts";

/** A row's values by the source's names of its columns, in the text form of their types. */
export type RowValues = Readonly<Record<string, string | null>>;

/** A row, or rows that are the same in all that is compared, of which the target has others than the source. */
export interface RowDifference {
  /** The source's id. */
  readonly table: TableId;
  /** missing: the target has fewer of them. extra: it has more. different: one of the key has other values. */
  readonly kind: "missing" | "extra" | "different";
  /** How many rows that is. */
  readonly rows: number;
  /** Undefined where the table has none by which rows can be looked up. */
  readonly key: RowValues | undefined;
  /** Columns that differ, by the source's names; of "different" alone. */
  readonly columns: readonly string[];
  /** Left out unless they are asked for. */
  readonly values?: { readonly source: RowValues | undefined; readonly target: RowValues | undefined };
}

/**
 * equal: all that can be compared is. different: rows, or columns, are not. missing: the target has no such table.
 * not-compared: its rows cannot be compared. failed: an error has ended the comparison of this table.
 */
export type TableVerdict = "equal" | "different" | "missing" | "not-compared" | "failed";

export interface TableValidation {
  /** The source's id and the target's. */
  readonly table: TableId;
  readonly target: TableId;
  readonly verdict: TableVerdict;
  /** Rows of each side that were compared. */
  readonly rows: { readonly source: number; readonly target: number };
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Rows that were written so fast that they could not be decided about. */
  readonly undecided: number;
  readonly losses: readonly ColumnNote[];
  readonly uncompared: readonly UncomparedColumn[];
  /** Columns that the target lacks. */
  readonly missingColumns: readonly string[];
  /** Why it is "not-compared". */
  readonly reason?: string;
  readonly error?: MigrationError;
  /** Percent of the source's rows that were looked for, where not all were. */
  readonly sampled?: number;
  /** Where they were asked for, and rows were compared. */
  readonly totals?: TableTotals;
  readonly seconds: number;
}

/** Something that all rows of the target together should hold to. */
export interface TargetCheck {
  /** The source's id. */
  readonly table: TableId;
  /** Rows that refer to none that is there; values that several rows have; a sequence behind its column. */
  readonly kind: "without-parent" | "repeated" | "sequence";
  /** What asks for it: a constraint, an index or a sequence, in words. */
  readonly what: string;
  /** How many rows or values do not. */
  readonly found: number;
  readonly isGood: boolean;
  /** It is not good, and will be when the task that is under way is drained. */
  readonly isUnderWay?: boolean;
  /** What has kept it from being looked at. */
  readonly error?: MigrationError;
}

/** What a validation tells while it goes on. Ids are the source's. Calls are cheap and never throw, but for what is waited for. */
export interface ValidationObserver {
  /** Rows that have been read or digested of one side since the last call. */
  compared(table: TableId, rows: number): void;
  /** The rows of the table have been scanned, and so many of them may differ. */
  settling(table: TableId, rows: number): void;
  /** `lookup`: how the row is looked up by its key. A promise is waited for. */
  difference(difference: RowDifference, lookup: KeyLookup | undefined): unknown;
  /** A promise is waited for. */
  validated(table: TableValidation): unknown;
  checked(check: TargetCheck): void;
}
