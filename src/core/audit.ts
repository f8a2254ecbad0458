import type { TableId } from "./schema.ts";

/** Something about the rows of a database that one whole number answers. */
export type AuditQuestion =
  /** How many rows refer to one that is not there. A row with NULL in one of the columns refers to none. */
  | {
      readonly kind: "without-parent";
      readonly table: TableId;
      readonly columns: readonly string[];
      readonly references: TableId;
      readonly referencedColumns: readonly string[];
    }
  /** How many values of these columns together more than one row has. NULL is like no other. */
  | { readonly kind: "repeated"; readonly table: TableId; readonly columns: readonly string[] }
  /** The largest number in a column. */
  | { readonly kind: "largest"; readonly table: TableId; readonly column: string };
