import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import { changesOf, type WrittenChange, writtenBatch } from "../../../test/support/written-changes.ts";
import { type ChangeBatch, Op } from "../../core/change-batch.ts";
import type { TablePlan } from "../../core/plan.ts";
import { ChangeRows } from "./change-rows.ts";

/** Of the row before a change only the key is sent, so that the filter cannot tell whether it took it. */
function filtered(name: string): TablePlan & Required<Pick<TablePlan, "rows">> {
  const plan = mappedPlan({
    reads: [INT, TEXT],
    columns: [
      { kind: "column", ordinal: 0 },
      { kind: "column", ordinal: 1 },
    ],
    filter: [[{ column: 1, conditions: [{ operator: "eq", value: "in" }] }]],
  });
  const id = { schema: "s", name };
  return {
    ...plan,
    source: { ...plan.source, id },
    rows: { ...plan.rows, reads: { ...plan.rows.reads, id } },
  };
}

const plans = ["a", "b", "c"].map(filtered);

function mapped(transactions: readonly (readonly WrittenChange[])[]): ChangeBatch {
  return new ChangeRows(plans).map(
    writtenBatch(
      plans.map(({ rows }) => rows.reads),
      transactions,
    ),
  );
}

const update = (table: number, value = "in"): WrittenChange => ({
  op: Op.update,
  table,
  after: ["1", value],
});
const insert = (table: number): WrittenChange => ({ op: Op.insert, table, after: ["1", "in"] });

test("a batch names each table and transaction with changes that converge once, whatever lies between them", () => {
  const { converging } = mapped([
    [update(0), update(1), insert(2), update(0, "out"), update(1)],
    [],
    [insert(0), insert(1)],
    [insert(0), update(2), update(0)],
    [update(0)],
  ]);
  assert.deepEqual(
    converging?.map(({ transaction, table }) => [transaction, table]),
    [
      [0, 0],
      [0, 1],
      [3, 2],
      [3, 0],
      [4, 0],
    ],
  );
  assert.equal(mapped([[insert(0)], [insert(1)]]).converging, undefined);
});

test("many transactions with such changes take time for each of them, and not for each two", () => {
  const transactions = Array.from({ length: 40_000 }, () => [update(0), update(1), update(2)]);
  const started = performance.now();
  const batch = mapped(transactions);
  const elapsed = performance.now() - started;
  assert.equal(batch.converging?.length, 120_000);
  assert.equal(changesOf(batch).at(-1)?.length, 3);
  assert.ok(elapsed < 5000, `${elapsed} ms`);
});
