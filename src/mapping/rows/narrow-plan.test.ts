import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import type { TablePlan } from "../../core/plan.ts";
import type { ColumnShape, TableShape } from "../../core/table-shape.ts";
import { narrowPlan, withFills, withOwnFills, withPlainShape } from "./narrow-plan.ts";
import { ruleChange } from "./rule-change.ts";

const sum = {
  kind: "expression",
  expression: {
    sql: "?1 - ?2",
    text: "$c0 - $c2",
    inputs: [0, 2].map((ordinal) => ({ kind: "column" as const, ordinal })),
  },
} as const;

function plan(): TablePlan {
  return mappedPlan({
    reads: [INT, TEXT, INT, TEXT],
    columns: [
      { kind: "column", ordinal: 1, mask: { kind: "digits", by: 0x23 } },
      { kind: "column", ordinal: 0 },
      { kind: "before", ordinal: 3 },
      { kind: "column", ordinal: 3 },
      sum,
    ],
    planKey: [1],
    filter: [[{ column: 2, conditions: [{ operator: "notnull" }] }]],
  });
}

const without = (name: string) => (column: { readonly name: string }) => column.name !== name;

test("a plan without a column goes on with the others, by their new ordinals", () => {
  const narrowed = narrowPlan(plan(), without("c1"))!;
  assert.deepEqual(
    narrowed.source.columns.map(({ name }) => name),
    ["p1", "p2", "p3", "p4"],
  );
  assert.deepEqual(narrowed.source.key, [0]);
  const { rows } = narrowed;
  assert.deepEqual(
    rows!.columns.map((origin) =>
      origin.kind === "expression"
        ? origin.expression.inputs.map((input) => "ordinal" in input && input.ordinal)
        : origin.ordinal,
    ),
    [0, 2, 2, [0, 1]],
  );
  assert.equal(rows!.filter![0]![0]!.column, 1);
});

test("what identifies rows, filters them or is a part of an expression cannot be left out", () => {
  for (const name of ["c0", "c2"]) assert.equal(narrowPlan(plan(), without(name)), undefined, name);
  const unmapped = { ...plan(), rows: undefined } as unknown as TablePlan;
  assert.equal(narrowPlan(unmapped, without("p1")), undefined);
  assert.deepEqual(narrowPlan(unmapped, without("p0"))!.source.key, [0]);
});

test("earlier rows show what the rules make of what they show in a later column", () => {
  const filled = withFills(plan(), (name) => (name === "c1" ? "a1b2" : name === "c3" ? null : undefined));
  assert.deepEqual(filled.rows!.reads.columns[1]!.later, { value: "a1b2" });
  assert.deepEqual(filled.target.columns[0]!.later, { value: "a#b#" });
  assert.deepEqual(filled.source.columns[3]!.later, { value: null });
  assert.equal(filled.target.columns[1]!.later, undefined);
  const compiled = { ...filled, target: { ...filled.target, columns: filled.rows!.reads.columns } };
  const again = withOwnFills({ ...compiled, target: filled.target });
  assert.deepEqual(again.target.columns[0]!.later, { value: "a#b#" });
});

function shaped(of: TablePlan, names: readonly string[]): TablePlan {
  const columns = names.map((name, i): ColumnShape => {
    return { number: i + 1, name, type: "1", version: "1", computed: null, fill: null };
  });
  const shape: TableShape = { table: "1", storage: "1", columnsEver: 4, columns };
  const reads = of.rows!.reads.columns.map((column, i) => ({ ...column, name: names[i]! }));
  return {
    ...of,
    source: { ...of.source, shape },
    rows: { ...of.rows!, reads: { ...of.rows!.reads, columns: reads, shape } },
  };
}

test("the target's columns are told apart by those that come from the source's", () => {
  const { source } = withPlainShape(shaped(plan(), ["c0", "c1", "c2", "c3"]));
  assert.deepEqual(
    source.shape!.columns.map(({ number, name }) => [number, name]),
    [
      [2, "p0"],
      [1, "p1"],
      [4, "p3"],
    ],
  );
});

test("rules go by names: a column that they do not know by its new one is treated in another way", () => {
  const before = shaped(plan(), ["c0", "c1", "c2", "c3"]);
  const renamed = shaped(plan(), ["c0", "c1", "c2", "renamed"]);
  assert.equal(ruleChange(before, renamed), undefined);
  const changed = (rows: Partial<NonNullable<TablePlan["rows"]>>): string | undefined =>
    ruleChange(before, { ...renamed, rows: { ...renamed.rows!, ...rows } });
  const [masked, ...others] = renamed.rows!.columns;
  assert.match(changed({ columns: [{ kind: "column", ordinal: 1 }, ...others] })!, /its column c1 treated/);
  assert.match(
    changed({ columns: [masked!, ...others.slice(0, -1), { kind: "column", ordinal: 2 }] })!,
    /c2 treated/,
  );
  const filter = [[{ column: 3, conditions: [{ operator: "notnull" as const }] }]];
  assert.match(changed({ filter })!, /filter by/);
  // Two columns that have changed names: c0 is the third now.
  const expression = { ...sum.expression, inputs: sum.expression.inputs.toReversed() };
  const swapped = shaped(plan(), ["c2", "c1", "c0", "c3"]);
  const columns = [...swapped.rows!.columns.slice(0, -1), { ...sum, expression }];
  const notNull = [[{ column: 2, conditions: [{ operator: "notnull" as const }] }]];
  assert.match(
    ruleChange(before, { ...swapped, rows: { ...swapped.rows!, columns, filter: notNull } })!,
    /expressions/,
  );
});
