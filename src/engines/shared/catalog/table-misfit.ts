import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type TableId } from "../../../core/schema.ts";

/** A column that is there on the target. */
export interface PresentColumn {
  readonly name: string;
  /** The target computes its values. */
  readonly generated: boolean;
  /** A row cannot be inserted without a value for it. */
  readonly required: boolean;
}

/**
 * What keeps rows out of a table that has these columns: a part of a sentence about the table, or undefined.
 * `written`: the names of those columns of the plan's table that rows bring values for.
 */
export function columnMisfit(
  columns: readonly PresentColumn[],
  written: readonly string[],
  { target }: TablePlan,
): string | undefined {
  const there = new Map(columns.map((column) => [column.name, column]));
  const missing = written.filter((name) => !there.has(name));
  if (missing.length > 0) return `it lacks the columns ${missing.join(", ")}`;
  const computed = written.filter((name) => there.get(name)!.generated);
  if (computed.length > 0) return `it computes the columns ${computed.join(", ")} itself`;
  const known = new Set(target.columns.map(({ name }) => name));
  const unfilled = columns.filter(({ name, required }) => required && !known.has(name));
  if (unfilled.length === 0) return undefined;
  return `it demands values for ${names(unfilled)}, which the source does not have`;
}

export const NOT_A_TABLE = "something that is not a table has its name";

/** `target.table_mismatch`: rows of the source cannot be put into what is there, because of `what`. */
export function mismatch(plan: TablePlan, what: string): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: `The table on the target cannot be used: ${what}.`,
    subject: displayTable(plan.target.id),
    table: plan.source.id,
  });
}

/** `target.table_mismatch` for a table that is to be emptied. */
export function goneBeforeReload({ source, target }: TablePlan): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: "The table to be loaded again is not there.",
    subject: displayTable(target.id),
    table: source.id,
    remedy: "Start the task with reload-target, which creates it.",
  });
}

/** `target.table_mismatch` for a table that is to get columns, or to be altered. */
export function goneBeforeAlteration({ source, target }: TablePlan): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: "The table to which columns are to be added is not there.",
    subject: displayTable(target.id),
    table: source.id,
  });
}

/** A table of the target with a foreign key to another. */
export interface Referrer extends TableId {
  readonly constraint: string;
}

/** `target.table_in_use`: what refers to the table is in the way of `message`. */
export function inUse(plan: TablePlan, message: string, referrers: readonly Referrer[]): MigrationError {
  const named = referrers.map((referrer) => `${displayTable(referrer)} (${referrer.constraint})`).join(", ");
  return new MigrationError("target.table_in_use", {
    message: `${message}: ${named}.`,
    subject: displayTable(plan.target.id),
    table: plan.source.id,
  });
}

export function names(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => name).join(", ");
}
