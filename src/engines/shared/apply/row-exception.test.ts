import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Column } from "../../../core/schema.ts";
import { exceptionObject, exceptionRow } from "./row-exception.ts";

const column = (name: string): Column => ({
  ...{ name, nativeType: "text", nullable: true },
  type: { kind: "string", fixed: false },
});

const id = { schema: "s", name: "t" };
const plan = {
  source: { id, columns: ["id", "v", "w", "big"].map(column), key: [0] },
  target: { id },
} as unknown as TablePlan;

/** An update of the key "1" to "2", with the texts `a` NUL `b`, NULL, and a value that was not sent. */
function updated(): ChangeBatch {
  const none = [NULL_CELL, NULL_CELL];
  return {
    ...{ bytes: Buffer.from("12a\0b"), encoding: "text", tables: [plan.source] },
    cells: Int32Array.from([0, 1, ...none, ...none, ...none, 1, 2, 2, 5, ...none, UNCHANGED_CELL, NULL_CELL]),
    ops: Int32Array.of(Op.update, 0, 0, 8),
    transactions: [
      {
        ...{ start: 0, end: 1, position: { kind: "number", text: "7" }, id: "1", committedAtMs: 1 },
        ...{ begins: true, commits: true },
      },
    ],
  };
}

test("an exception names the row that was looked for, and holds what was sent only if that is wanted", () => {
  const exception = { plan, place: { batch: updated(), at: 0 }, error: "apply.rejected: no" };
  const row = exceptionRow(exception);
  assert.deepEqual(JSON.parse(exceptionObject(exception, row, false)), {
    key: { id: "1" },
    to: { id: "2" },
    at: "7",
  });
  const whole = exceptionObject(exception, row, true);
  // PostgreSQL takes no zero byte in a text.
  assert.doesNotMatch(whole, /\0/);
  assert.deepEqual(JSON.parse(whole), {
    ...{ key: { id: "1" }, to: { id: "2" }, at: "7" },
    values: { id: "2", v: "a\0b", w: null },
  });
});

test("values that are too large together to be recorded are left out, the key is not", () => {
  const batch = updated();
  const cells = Int32Array.from(batch.cells);
  // The value behind the key.
  cells[11] = 65 << 20;
  const exception = { plan, place: { batch: { ...batch, cells }, at: 0 }, error: "apply.rejected: no" };
  const whole = exceptionObject(exception, exceptionRow(exception), true);
  assert.deepEqual(JSON.parse(whole), { key: { id: "1" }, to: { id: "2" }, at: "7" });
});
