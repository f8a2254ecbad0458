import type { RowErrorPolicies } from "../../src/core/row-errors.ts";

/** Whatever goes wrong with a row is recorded, and nothing is limited. */
export const LOG: RowErrorPolicies = {
  refused: "log",
  refusedLimit: { count: 0, action: "suspend-table" },
  insertPresent: "log",
  updateMissing: "log",
  deleteMissing: "log",
  conflictLimit: { count: 0, action: "log" },
  withValues: false,
};
