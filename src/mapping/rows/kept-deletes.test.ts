import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, type MappedPlan, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import { changesOf, type WrittenChange, writtenBatch } from "../../../test/support/written-changes.ts";
import { type ChangeBatch, Op } from "../../core/change-batch.ts";
import type { ColumnOrigin } from "../../core/plan.ts";
import { ChangeRows } from "./change-rows.ts";

const LETTER: ColumnOrigin = {
  kind: "expression",
  expression: {
    sql: "case ?1 when 'D' then 'gone' when 'U' then 'other' else 'new' end",
    inputs: [{ kind: "header", name: "operation-letter" }],
  },
};

/** What becomes of a change of a table of two columns whose deletes are told by an expression. */
function kept(more: Pick<MappedPlan, "rowIdentity" | "filter">, change: WrittenChange): ChangeBatch {
  const plan = mappedPlan({
    reads: [INT, TEXT],
    columns: [{ kind: "column", ordinal: 0 }, { kind: "column", ordinal: 1 }, LETTER],
    ...more,
  });
  return new ChangeRows([plan]).map(writtenBatch([plan.rows.reads], [[change]]));
}

function only(batch: ChangeBatch): Required<WrittenChange> | undefined {
  return changesOf(batch)[0]![0];
}

test("deletes that are told by an expression leave the row", () => {
  const deleted = only(kept({}, { op: Op.delete, before: ["1", null] }))!;
  assert.equal(deleted.op, Op.update);
  assert.deepEqual(deleted.after, ["1", undefined, "gone"]);
  const whole = only(kept({ rowIdentity: "full" }, { op: Op.delete, before: ["1", "v"] }))!;
  assert.deepEqual(whole.after, ["1", "v", "gone"]);
  const again = kept({}, { op: Op.insert, after: ["1", "w"] });
  assert.deepEqual(only(again)!.after, ["1", "w", "new"]);
  assert.deepEqual(again.converging, [{ transaction: 0, table: 0 }]);
});

test("such a delete of a row of which the filter cannot tell is a misfit: the target may not have it", () => {
  const filter: MappedPlan["filter"] = [[{ column: 1, conditions: [{ operator: "eq", value: "v" }] }]];
  const untold = kept({ filter }, { op: Op.delete, before: ["1", null] });
  assert.equal(untold.misfits?.[0]?.error.code, "apply.value_not_sent");
  assert.equal(only(untold), undefined);
  const whole = { rowIdentity: "full", filter } as const;
  assert.deepEqual(only(kept(whole, { op: Op.delete, before: ["1", "v"] }))!.after, ["1", "v", "gone"]);
  assert.equal(only(kept(whole, { op: Op.delete, before: ["1", "w"] })), undefined);
});
