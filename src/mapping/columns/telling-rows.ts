import type { ColumnOrigin } from "../../core/plan.ts";
import type { TableSchema } from "../../core/schema.ts";
import { keepsDeleted } from "../rows/row-needs.ts";
import { type ColumnFindings, listed } from "./column-findings.ts";
import type { PlannedColumn } from "./map-columns.ts";

/** What SQLite's functions give anew each time. */
const VARYING = /\brandom(?:blob)?\b|'now'|\b(?:date|time|datetime|julianday)\s*\(\s*\)|\bcurrent_/i;

/**
 * Refuses what leaves no way to find a row again that changes: without a key a row is told by all its values, and some
 * are others each time that they are made. A row that stays when it is deleted is found by its key when it comes again.
 */
export function checkTelling(
  columns: readonly PlannedColumn[],
  { key }: Pick<TableSchema, "key">,
  findings: ColumnFindings,
): void {
  if (key.length > 0) return;
  if (keepsDeleted(columns.map(({ origin }) => origin))) {
    findings.add("mapping.key_lost", "error", "operation_indicator needs a key that tells the table's rows.");
    return;
  }
  const varying = columns.filter(({ origin }) => varies(origin)).map(({ target }) => target.name);
  if (varying.length === 0) return;
  const message = `The table's rows are told by all their values, and those of ${listed(varying)} are others each time.`;
  findings.add("mapping.key_lost", "error", message);
}

function varies(origin: ColumnOrigin): boolean {
  if (origin.kind === "before" || origin.mask?.kind === "random-digits") return true;
  if (origin.kind === "column") return false;
  const { sql, inputs } = origin.expression;
  return VARYING.test(sql) || inputs.some(({ kind }) => kind === "before" || kind === "header");
}
