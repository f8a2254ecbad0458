import type { MigrationError } from "./error.ts";
import type { TablePlan } from "./plan.ts";
import type { TableId } from "./schema.ts";
import type { EnumLabels, SchemaNote } from "./schema-note.ts";

/**
 * A table of the target that follows what a statement has made of the source's. Shapes of the plans' sources tell which
 * column is which; a column that rules of rows have made is in neither.
 */
export interface TableAlteration {
  /** As the target has it. */
  readonly from: TablePlan;
  /** As it becomes; what the journal has of it afterwards is the shape of its readTable(). */
  readonly to: TablePlan;
  /** The statement's that gave columns their types; undefined when only indexes were dropped. */
  readonly note: SchemaNote | undefined;
  /** Enum types with their labels, in target names. */
  readonly enums: readonly EnumLabels[];
  /** It came from the target: nothing is due but what the journal has of it. */
  readonly isApplied: boolean;
  /** Indexes and constraints follow, too: the task has made the table. */
  readonly withParts: boolean;
}

export interface AlterTables {
  readonly alterations: readonly TableAlteration[];
  /** Tables of the target, by their names there, to which changes of tables go that are not altered. */
  readonly others: readonly TableId[];
  /** What is done is not to come back, see SchemaNote.isApplied. */
  readonly marks: boolean;
}

export interface AlteredTable {
  /** Columns, by their names on the target, that have NULLs yet and so are not NOT NULL. */
  readonly nullable: readonly string[];
  /** Indexes and constraints that could not be made or dropped. */
  readonly failures: readonly MigrationError[];
}
