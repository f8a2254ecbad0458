import { type ChangeBatch, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable } from "../../../core/schema.ts";

type RowBatch = Pick<ChangeBatch, "bytes" | "cells">;

/** Whether the rows before and after are known to have the same values, other than NULL, in some columns. */
export function hasSameCells(
  ordinals: readonly number[],
  batch: RowBatch,
  rows: { readonly before: number; readonly after: number },
): boolean {
  const { bytes, cells } = batch;
  for (const ordinal of ordinals) {
    const a = rows.before + 2 * ordinal;
    const b = rows.after + 2 * ordinal;
    if (cells[b] === UNCHANGED_CELL) continue;
    const length = cells[a + 1]! - cells[a]!;
    if (cells[a]! < 0 || cells[b]! < 0 || cells[b + 1]! - cells[b]! !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[cells[a]! + i] !== bytes[cells[b]! + i]) return false;
  }
  return true;
}

/** Whether the source has sent every value of the row. */
export function isComplete(plan: TablePlan, cells: Int32Array, row: number): boolean {
  const end = row + 2 * plan.source.columns.length;
  for (let cell = row; cell < end; cell += 2) if (cells[cell] === UNCHANGED_CELL) return false;
  return true;
}

/** The failure of an update whose row is not there and cannot be made up from what was sent. */
export function rowIncomplete(plan: TablePlan): MigrationError {
  const { id } = plan.source;
  return new MigrationError("apply.row_incomplete", {
    message: "A change does not hold all values of a row that the target may lack.",
    subject: displayTable(id),
    table: id,
  });
}
