import { createHash } from "node:crypto";
import type { ChangeBatch } from "../../src/core/change-batch.ts";
import type { ColumnOrigin, TablePlan } from "../../src/core/plan.ts";
import { ChangeRows } from "../../src/mapping/rows/change-rows.ts";
import type { MappedPlan } from "./mapped-plan.ts";
import { changesOf, type WrittenChange, writtenBatch } from "./written-changes.ts";

/** What a plan's rules make of one transaction's changes. */
export function mappedChanges(plan: TablePlan, changes: readonly WrittenChange[]): ChangeBatch {
  return new ChangeRows([plan]).map(writtenBatch([plan.rows!.reads], [changes]));
}

/** The change that comes of one; undefined when none does. */
export function mappedChange(plan: TablePlan, change: WrittenChange): Required<WrittenChange> | undefined {
  return changesOf(mappedChanges(plan, [change]))[0]![0];
}

export const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

/** For a table of three columns. */
export const EQ_A: NonNullable<MappedPlan["filter"]> = [
  [{ column: 1, conditions: [{ operator: "eq", value: "a" }] }],
  [{ column: 2, conditions: [{ operator: "null" }] }],
];

/** Columns made in every way of a table of three. */
export const COLUMNS: readonly ColumnOrigin[] = [
  { kind: "column", ordinal: 2 },
  { kind: "column", ordinal: 0 },
  { kind: "column", ordinal: 1, mask: { kind: "hash" } },
  {
    kind: "expression",
    expression: {
      sql: "?1 || '/' || ?2",
      inputs: [
        { kind: "column", ordinal: 2 },
        { kind: "column", ordinal: 1 },
      ],
    },
  },
  { kind: "column", ordinal: 2, mask: { kind: "digits", by: 0x23 } },
];
