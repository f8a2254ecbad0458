import assert from "node:assert/strict";
import { test } from "node:test";
import { type Row, rowBytes } from "../../../test/support/row-bytes.ts";
import type { FilterClause, RowFilter } from "../../core/plan.ts";
import type { TableSchema } from "../../core/schema.ts";
import { compileFilter, type FilterAnswer } from "./filter-test.ts";

const table = {
  columns: ["a", "b"].map((name) => ({
    ...{ name, nativeType: "int", nullable: true },
    type: { kind: "int", bits: 32, unsigned: false },
  })),
} as unknown as TableSchema;

function answers(filter: RowFilter, rows: readonly Row[]): readonly FilterAnswer[] {
  const { bytes, cells } = rowBytes(rows);
  const compiled = compileFilter(filter, table);
  return rows.map((_, at) => compiled.holds(bytes, cells, 2 * table.columns.length * at));
}

const one = (column: number, value: string): FilterClause => [
  { column, conditions: [{ operator: "eq", value }] },
];

test("what hangs on a value that was not sent is unknown, and all else is not", () => {
  const rows: readonly Row[] = [
    ["1", undefined],
    ["2", undefined],
    [undefined, undefined],
    [undefined, "1"],
  ];
  assert.deepEqual(answers([[...one(0, "1"), ...one(1, "1")]], rows), [
    "unknown",
    false,
    "unknown",
    "unknown",
  ]);
  assert.deepEqual(answers([one(0, "1"), one(1, "1")], rows), [true, "unknown", "unknown", true]);
  assert.deepEqual(answers([one(0, "1")], rows), [true, false, "unknown", "unknown"]);
});

test("NULL satisfies null alone", () => {
  const rows: readonly Row[] = [
    [null, "1"],
    ["0", "1"],
  ];
  for (const condition of [
    { operator: "eq", value: "0" },
    { operator: "noteq", value: "1" },
    { operator: "lte", value: "1" },
    { operator: "gte", value: "-1" },
    { operator: "between", from: "0", to: "0" },
    { operator: "notbetween", from: "1", to: "2" },
    { operator: "notnull" },
  ] as const) {
    assert.deepEqual(
      answers([[{ column: 0, conditions: [condition] }]], rows),
      [false, true],
      condition.operator,
    );
  }
  assert.deepEqual(answers([[{ column: 0, conditions: [{ operator: "null" }] }]], rows), [true, false]);
});

test("no clause takes no row, and one that asks for nothing takes all", () => {
  assert.deepEqual(answers([], [["1", "1"]]), [false]);
  assert.deepEqual(answers([[]], [["1", undefined]]), [true]);
});

test("a condition on what has no order is refused when it is compiled", () => {
  const json = { columns: [{ ...table.columns[0]!, type: { kind: "json" } }] } as unknown as TableSchema;
  assert.throws(() => compileFilter([one(0, "{}")], json), RangeError);
});
