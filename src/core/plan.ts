import type { Catalog, Sequence, TableSchema } from "./schema.ts";

/** What table mappings come to for one table. Compiled once, used for every row. */
export interface TablePlan {
  readonly source: TableSchema;
  /** The same table under its target names; columns correspond by ordinal. */
  readonly target: TableSchema;
  /** Higher starts first in full load (`load-order`); 0 when the rules do not say. */
  readonly loadOrder: number;
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
