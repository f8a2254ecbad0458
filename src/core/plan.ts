import type { Catalog, Column, Sequence, TableSchema } from "./schema.ts";

/** What table mappings come to for one table. Compiled once, used for every row. */
export interface TablePlan {
  /**
   * The source's table as the rules leave it: the columns that come to the target, under the source's names and types,
   * added ones among them. Its id, and all but the columns where `rows` is left out, is the source's own.
   */
  readonly source: TableSchema;
  /** The same table under its target names; columns correspond by ordinal. */
  readonly target: TableSchema;
  /** Higher starts first in full load (`load-order`); 0 when the rules do not say. */
  readonly loadOrder: number;
  /** How its rows are made of the source's. Left out: they pass as they are. */
  readonly rows?: RowRules;
  /** How full load parts the source's table, where a rule says so. Left out: as is best for its size. */
  readonly parallelLoad?: ParallelLoad;
}

/** Parts of a table that together are all of it: NULLs and what a rule does not list are parts, too. */
export type ParallelLoad =
  /** As a whole, or in the partitions that the source keeps it in (TableSchema.partitions). */
  | { readonly type: "none" | "partitions-auto" }
  /** Each of these alone, and what remains together. */
  | {
      readonly type: "partitions-list";
      readonly partitions: readonly string[];
      readonly subpartitions: readonly string[];
    }
  /** One range below each boundary and one from the last on; values compare in the order of the columns. */
  | {
      readonly type: "ranges";
      readonly columns: readonly string[];
      /** Ascending in the source's order; a value for each column, in the text form of its logical type in a plan. */
      readonly boundaries: readonly (readonly string[])[];
    };

/** What rules make of one table's rows (docs/decisions/023). */
export interface RowRules {
  /** The source's own table, as it is read and streamed. */
  readonly reads: TableSchema;
  /** The same as the source describes it, where it is asked for more than it would send of it. Left out: `reads`. */
  readonly described?: TableSchema;
  /** Where the value of each column of the plan comes from. */
  readonly columns: readonly ColumnOrigin[];
  /** Rows that it does not hold for stay behind. Left out: none do. */
  readonly filter?: RowFilter;
  /** A value that would be cut off is the table's error. Left out: it comes cut off, and is counted. */
  readonly refusesCuts?: true;
}

export type ColumnOrigin =
  /** The value of a column of `reads`. `cut`: most bytes of it that come, to the end of a whole character. Left out: all. */
  | { readonly kind: "column"; readonly ordinal: number; readonly mask?: Mask; readonly cut?: number }
  /** The value that a column of `reads` had before an update; NULL in any other row. */
  | { readonly kind: "before"; readonly ordinal: number; readonly cut?: number }
  | { readonly kind: "expression"; readonly expression: Expression; readonly mask?: Mask };

/** digits: every ASCII digit becomes the byte. hash: SHA-256 of the value's text in 64 hexadecimal digits. */
export type Mask =
  | { readonly kind: "digits"; readonly by: number }
  | { readonly kind: "random-digits" }
  | { readonly kind: "hash" };

export interface Expression {
  /** SQLite's dialect; its parameters are `?1`, `?2` and so on for `inputs`. */
  readonly sql: string;
  readonly inputs: readonly ExpressionInput[];
  /** As the rule has it, for people. Left out where no rule has written it. */
  readonly text?: string;
}

/** before: the value before an update or a delete. header: what DMS calls `$AR_H_...`. */
export type ExpressionInput =
  | { readonly kind: "column" | "before"; readonly ordinal: number }
  | { readonly kind: "header"; readonly name: ChangeHeader }
  | { readonly kind: "constant"; readonly value: string };

export type ChangeHeader =
  | "operation"
  | "operation-letter"
  | "stream-position"
  | "timestamp"
  | "commit-timestamp"
  | "user"
  | "change-seq";

/** A row is taken when one of these holds. */
export type RowFilter = readonly FilterClause[];

/** Holds when each of its columns satisfies one of that column's conditions. */
export type FilterClause = readonly {
  /** Ordinal into the columns of `reads`. */
  readonly column: number;
  readonly conditions: readonly FilterCondition[];
}[];

/** Bounds are inclusive; values are in the text form of the column's logical type. NULL satisfies "null" alone. */
export type FilterCondition =
  | { readonly operator: "eq" | "noteq" | "lte" | "gte"; readonly value: string }
  | { readonly operator: "between" | "notbetween"; readonly from: string; readonly to: string }
  | { readonly operator: "null" | "notnull" };

/** The table that is read and streamed for a plan. */
export function readTable({ source, rows }: TablePlan): TableSchema {
  return rows?.reads ?? source;
}

/** The same as the source describes it: what rules are compiled of. */
export function describedTable(plan: TablePlan): TableSchema {
  return plan.rows?.described ?? readTable(plan);
}

/** Where each column of a plan comes from. */
export function originsOf({ source, rows }: TablePlan): readonly ColumnOrigin[] {
  return rows?.columns ?? source.columns.map((_, ordinal) => ({ kind: "column", ordinal }));
}

/** A plan with something about its table that rules leave as it is, such as its shape. */
export function withTable(
  plan: TablePlan,
  part: Partial<Omit<TableSchema, "id" | "columns" | "key">>,
): TablePlan {
  const { source, rows } = plan;
  const own = { ...plan, source: { ...source, ...part } };
  if (rows === undefined) return own;
  const described = rows.described === undefined ? {} : { described: { ...rows.described, ...part } };
  return { ...own, rows: { ...rows, ...described, reads: { ...rows.reads, ...part } } };
}

/** The plan with columns that the source computes as ordinary ones on its side: it sends their values. */
export function withSentColumns(plan: TablePlan, isSent: (ordinal: number) => boolean): TablePlan {
  const { source, rows } = plan;
  const columns = source.columns.map((column, ordinal) =>
    isSent(ordinal) ? ordinaryColumn(column) : column,
  );
  const sending = { ...plan, source: { ...source, columns } };
  if (rows === undefined) return sending;
  const read = new Set(
    rows.columns.flatMap((origin, i) => (origin.kind === "column" && isSent(i) ? [origin.ordinal] : [])),
  );
  const { reads } = rows;
  const needed = reads.columns.map((column, i) => (read.has(i) ? ordinaryColumn(column) : column));
  return { ...sending, rows: { ...rows, reads: { ...reads, columns: needed } } };
}

/** A column that is computed, as one that is not. */
export function ordinaryColumn({ generated: _generated, virtual: _virtual, ...column }: Column): Column {
  return column;
}

/** What table mappings come to for a whole task. */
export interface MigrationPlan {
  /** Selected tables, in the order in which full load should start them. */
  readonly tables: readonly TablePlan[];
  /** Each sequence of the target catalog with the one of the source it continues. */
  readonly sequences: readonly { readonly source: Sequence; readonly target: Sequence }[];
  /** The selected objects under their target names. */
  readonly target: Catalog;
}
