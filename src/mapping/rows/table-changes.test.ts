import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import { changesOf, type WrittenChange, writtenBatch } from "../../../test/support/written-changes.ts";
import { Op } from "../../core/change-batch.ts";
import { ChangeRows } from "./change-rows.ts";

test("a key that an expression makes tells the row, whatever other expressions need", () => {
  const input = (ordinal: number) => ({ kind: "column", ordinal }) as const;
  const plan = mappedPlan({
    reads: [INT, TEXT],
    columns: [
      { kind: "expression", expression: { sql: "'k' || ?1", inputs: [input(0)] } },
      { kind: "expression", expression: { sql: "?1 || ?2", inputs: [input(0), input(1)] } },
    ],
    planKey: [0],
  });
  const changes: readonly WrittenChange[] = [
    { op: Op.delete, before: ["1", null] },
    { op: Op.update, before: ["2", null], after: ["3", "a"] },
  ];
  const batch = new ChangeRows([plan]).map(writtenBatch([plan.rows.reads], [changes]));
  assert.equal(batch.misfits, undefined);
  const [[deleted, updated] = []] = changesOf(batch);
  assert.equal(deleted?.before?.[0], "k1");
  assert.deepEqual([updated?.before?.[0], updated?.after], ["k2", ["k3", "3a"]]);
});
