import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import { displayTable, type TableId } from "../../core/schema.ts";

/** What the endpoint's ZeroDates says to do with dates that no calendar has: 0000-00-00, 2026-02-00, 2026-02-30. */
export type ZeroDates = "null" | "error" | "epoch";

export function zeroDatesOf({ settings }: EndpointConfig): ZeroDates {
  const value = settings["ZeroDates"];
  return value === "error" || value === "epoch" ? value : "null";
}

/** Such a date in a column, which ZeroDates does not let pass, or which may not be NULL. */
export function zeroDateError(table: TableId, column: string, zeroDates: ZeroDates): MigrationError {
  const why =
    zeroDates === "error" ? "and ZeroDates is error" : "which may not be NULL, and ZeroDates makes it NULL";
  return new MigrationError("source.zero_date", {
    message: `The column ${column} holds a date that no calendar has, ${why}.`,
    subject: displayTable(table),
    table,
  });
}
