import type { RowFilter } from "./plan.ts";
import type { DigestForm } from "./row-digest.ts";
import type { Column, TableSchema } from "./schema.ts";
import type { Partition } from "./source.ts";

/** What the values of a column are before they are added up, or before the first and the last are looked for. */
export type TotalForm = Extract<DigestForm, { readonly kind: "int" | "decimal" | "date" | "timestamp" }>;

export interface TotalColumn {
  /** Into the table's columns. */
  readonly ordinal: number;
  readonly form: TotalForm;
}

export interface TotalsRequest {
  readonly table: TableSchema;
  /** No share: what rows those have is known to whoever reads them only. */
  readonly partition: Partition;
  /** Only rows that it holds for. Left out: all. */
  readonly filter?: RowFilter;
  readonly columns: readonly TotalColumn[];
}

/** NULL where no row has a value. */
export type ColumnTotal =
  /** Of each value in its form: of a decimal with a scale rounded to that. All digits; words as in DigestForm. */
  | { readonly kind: "sum"; readonly sum: string | null }
  /** In the text form that all engines share. */
  | { readonly kind: "range"; readonly first: string | null; readonly last: string | null };

export interface RowTotals {
  readonly rows: number;
  /** In the order of the columns that were asked for. */
  readonly columns: readonly ColumnTotal[];
}

/** Whether values of that form are added up, and not put in order. */
export function isSummed({ kind }: TotalForm): boolean {
  return kind === "int" || kind === "decimal";
}

/** Whether a server can tell totals of its column in that form: where values are of another kind there, it cannot. */
export function hasTotal({ type }: Column, form: TotalForm): boolean {
  if (isSummed(form)) return type.kind === "int" || type.kind === "decimal";
  return type.kind === "date" || type.kind === "timestamp";
}
