import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, EQ_A, hash, mappedChange, mappedChanges } from "../../../test/support/mapped-changes.ts";
import { INT, type MappedPlan, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import { changesOf, type WrittenRow, writtenBatch } from "../../../test/support/written-changes.ts";
import { Op } from "../../core/change-batch.ts";
import { ChangeRows } from "./change-rows.ts";

/* What a change does not tell, and the rules need. */

test("values that were not sent stay so, and what is made of them as well", () => {
  const plan = mappedPlan({ reads: [INT, TEXT, TEXT], columns: COLUMNS, planKey: [1] });
  const update = mappedChange(plan, { op: Op.update, after: ["1", undefined, undefined] })!;
  assert.deepEqual(update.after, [undefined, "1", undefined, undefined, undefined]);
  const { misfits } = mappedChanges(plan, [{ op: Op.update, after: ["1", "a", undefined] }]);
  assert.equal(misfits?.[0]?.error.code, "apply.value_not_sent");
  const full = mappedPlan({ reads: [INT, TEXT, TEXT], columns: COLUMNS, planKey: [1], rowIdentity: "full" });
  const filled = mappedChange(full, {
    op: Op.update,
    before: ["1", "x", "7"],
    after: ["1", "a", undefined],
  })!;
  assert.deepEqual(filled.after, ["7", "1", hash("a"), "7/a", "#"]);
});

test("a row that comes into the filter without all its values is a misfit, as is one of which the filter cannot tell", () => {
  const plan = mappedPlan({
    ...{ reads: [INT, TEXT, TEXT], rowIdentity: "key", key: [0, 1] },
    ...{
      columns: [
        { kind: "column", ordinal: 0 },
        { kind: "column", ordinal: 1 },
        { kind: "column", ordinal: 2 },
      ],
    },
    filter: [[{ column: 1, conditions: [{ operator: "eq", value: "in" }] }]],
  });
  const moved = mappedChanges(plan, [
    { op: Op.update, before: ["1", "out", null], after: ["1", "in", undefined] },
  ]);
  assert.equal(moved.misfits?.[0]?.error.code, "apply.value_not_sent");
  const stays = mappedChanges(plan, [{ op: Op.update, after: ["1", "in", undefined] }]);
  assert.equal(stays.misfits, undefined);
  assert.equal(stays.converging, undefined);
  const untold = mappedChanges({ ...plan, rows: { ...plan.rows, filter: EQ_A } }, [
    { op: Op.update, after: ["1", "b", undefined] },
  ]);
  assert.equal(untold.misfits?.[0]?.error.code, "apply.value_not_sent");
});

test("an expression that fails is a misfit of its transaction, and others go on", () => {
  const plan = mappedPlan({
    reads: [INT],
    columns: [
      { kind: "column", ordinal: 0 },
      {
        kind: "expression",
        expression: { sql: "?1 / 2.0", inputs: [{ kind: "column", ordinal: 0 }] },
        type: INT,
      },
    ],
  });
  const batch = writtenBatch(
    [plan.rows.reads],
    [[{ op: Op.insert, after: ["2"] }], [{ op: Op.insert, after: ["3"] }], [{ op: Op.insert, after: ["4"] }]],
  );
  const result = new ChangeRows([plan]).map(batch);
  assert.deepEqual(
    result.misfits?.map(({ transaction, table, error }) => [
      transaction,
      table,
      error.code,
      error.table?.name,
    ]),
    [[1, 0, "mapping.expression_failed", "t"]],
  );
  assert.deepEqual(
    changesOf(result).map(({ length }) => length),
    [1, 0, 1],
  );
});

test("what foreign keys have done is told by the plan's columns", () => {
  const plan = mappedPlan({
    reads: [INT, TEXT, INT],
    columns: [
      { kind: "column", ordinal: 2 },
      { kind: "column", ordinal: 0 },
    ],
    planKey: [1],
  });
  const rows: WrittenRow = [undefined, undefined, "7"];
  const gone = mappedChange(plan, { op: Op.deleteReferring, before: rows })!;
  assert.deepEqual([gone.op, ...gone.before], [Op.deleteReferring, "7", undefined]);
  const nulled = mappedChange(plan, {
    op: Op.updateReferring,
    before: rows,
    after: [undefined, undefined, null],
  })!;
  assert.deepEqual([...nulled.before, ...nulled.after], ["7", undefined, null, undefined]);
  const lost = mappedChanges(plan, [{ op: Op.deleteReferring, before: [undefined, "x", undefined] }]);
  assert.equal(lost.misfits?.[0]?.error.code, "apply.value_not_sent");
  const filter: MappedPlan["filter"] = [[{ column: 2, conditions: [{ operator: "notnull" }] }]];
  const filtered = mappedChanges({ ...plan, rows: { ...plan.rows, filter } }, [
    { op: Op.updateReferring, before: rows, after: [undefined, undefined, null] },
  ]);
  assert.equal(filtered.misfits?.[0]?.error.code, "apply.value_not_sent");
});
