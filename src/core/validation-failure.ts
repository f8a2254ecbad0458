import type { TableId } from "./schema.ts";

/** What a row that differs is, in AWS DMS's words; a warning is about a whole table. */
export type ValidationFailureKind = "RECORD_DIFF" | "MISSING_SOURCE" | "MISSING_TARGET" | "TABLE_WARNING";

/** What awsdms_validation_failures_v1 keeps of a row that differs. */
export interface ValidationFailure {
  /** The target's table. */
  readonly table: TableId;
  readonly kind: ValidationFailureKind;
  /** The values that name the row on the target, in the order of the key; undefined where rows have none. */
  readonly key: readonly string[] | undefined;
  /** Names of the columns that differ, with their values if a setting asks for them; a sentence for a table. */
  readonly details: string;
}

/** AWS DMS's words for how a table's validation is. */
export type ValidationState =
  | "Not enabled"
  | "Pending validation"
  | "Pending revalidation"
  | "Preparing table"
  | "Pending records"
  | "Validated"
  | "Mismatched records"
  | "Suspended records"
  | "No primary key"
  | "Table error"
  | "Error";
