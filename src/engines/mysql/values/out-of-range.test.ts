import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, compile, table } from "../../../../test/support/plan-situation.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { LogicalType } from "../../../core/schema.ts";
import { type OutOfRange, RangeRule } from "./out-of-range.ts";

const zoned: LogicalType = { kind: "timestamp", precision: 6, zoned: true };
const columns: readonly (readonly [LogicalType, string, number | undefined])[] = [
  [{ kind: "float", bits: 64 }, "double", undefined],
  [{ kind: "decimal" }, "varchar", undefined],
  [{ kind: "date" }, "date", undefined],
  [zoned, "datetime", 3],
  [zoned, "timestamp", 3],
];

function rule(choices: OutOfRange, nullable = true): RangeRule | undefined {
  const made = columns.map(([type], i) => ({ name: `c${i}`, nativeType: "native", type, nullable }));
  const { tables } = compile({
    catalog: catalog({ tables: [table("s.t", { columns: made, key: [] })] }),
  }).plan;
  const plan: TablePlan = tables[0]!;
  const there = columns.map(([, dataType, fraction], i) => [i, { dataType, fraction }] as const);
  return RangeRule.for(plan, there, choices);
}

function instead(made: RangeRule, column: number, text: string): string | null | undefined {
  const cell = Buffer.from(`..${text}..`);
  return made.instead(column, cell, 2, cell.length - 2)?.toString();
}

test("numbers and dates that have a place stay, the others are found on their side", () => {
  const made = rule({ numbers: "null", dates: "limit" })!;
  for (const [column, text] of [
    ...["0", "-1.5", "1e-300", "-1.7976931348623157e+308"].map((one) => [0, one] as const),
    ...["NaN", "Infinity"].map((one) => [1, one] as const),
    ...["0001-01-01", "2024-02-29", "9999-12-31"].map((one) => [2, one] as const),
    ...["0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999"].map((one) => [3, one] as const),
    ...["infinity", "10000-01-01 00:00:00+00"].map((one) => [4, one] as const),
  ]) {
    assert.equal(instead(made, column, text), undefined, text);
  }
  const low = "0001-01-01 00:00:00";
  const high = "9999-12-31 23:59:59.999";
  for (const [text, day, moment] of [
    ["infinity", "9999-12-31", high],
    ["-infinity", "0001-01-01", low],
    ["0044-03-15 BC", "0001-01-01", low],
    ["10000-01-01", "9999-12-31", high],
    ["294276-12-31", "9999-12-31", high],
  ] as const) {
    assert.equal(instead(made, 2, text), day, text);
    const suffix = text.endsWith("BC") ? text.replace(" BC", " 10:00:00+00 BC") : text;
    assert.equal(instead(made, 3, suffix), moment, text);
  }
});

test("NULL comes where a column takes it; where none does, its table is set aside", () => {
  const choices: OutOfRange = { numbers: "null", dates: "null" };
  const made = rule(choices)!;
  for (const text of ["NaN", "Infinity", "-Infinity"]) {
    assert.equal(made.instead(0, Buffer.from(text), 0, text.length), null, text);
  }
  assert.equal(made.instead(2, Buffer.from("infinity"), 0, 8), null);
  const strict = rule(choices, false)!;
  assert.throws(() => strict.instead(2, Buffer.from("infinity"), 0, 8), {
    code: "target.value_out_of_range",
    message: /c2/,
  });
});

test("nothing is looked at where the server is to refuse it", () => {
  assert.equal(rule({ numbers: "error", dates: "error" }), undefined);
  assert.equal(rule({ numbers: "error", dates: "null" })!.checks(0), false);
});
