import assert from "node:assert/strict";
import { test } from "node:test";
import { column, table } from "../../../../test/support/pgoutput-messages.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Column } from "../../../core/schema.ts";
import type { ColumnShape } from "../../../core/table-shape.ts";
import { columnSteps, defaultStatements, notNullColumns, structureStatements } from "./alter-steps.ts";

/** Columns by their numbers. */
function planOf(
  columns: Readonly<Record<number, Column>>,
  types: Readonly<Record<number, string>> = {},
): TablePlan {
  const shapes = Object.entries(columns).map(([number, { name }]): ColumnShape => {
    const type = types[Number(number)] ?? "25 -1";
    return { number: Number(number), name, type, version: `${name} ${type}`, computed: null, fill: null };
  });
  const shape = { table: "1", storage: "1", columnsEver: 9, columns: shapes };
  const source = table({ columns: Object.values(columns), shape });
  return { source, target: { ...source, id: { schema: "x", name: "t" } }, loadOrder: 0 };
}

const options = { sequences: [], virtualColumns: false };
const before = planOf({ 1: column("id"), 2: column("v"), 3: column("w") });

function statements(after: TablePlan, present: readonly Column[] = before.target.columns): readonly string[] {
  const steps = columnSteps({ from: before, to: after });
  const named = new Map(present.map((one) => [one.name, one]));
  return structureStatements({ schema: "x", name: "t" }, steps, { ...options, present: named });
}

test("a column is renamed, dropped, altered or added by its number", () => {
  const later = { later: { value: "f" } };
  assert.deepEqual(
    statements(planOf({ 1: column("id"), 2: column("u"), 4: column("w", later) }, { 1: "20 -1" })),
    [
      'alter table "x"."t" drop column "w"',
      'alter table "x"."t" rename column "v" to "u"',
      'alter table "x"."t" alter column "id" drop default, alter column "id" type text',
      `alter table "x"."t" add column "w" text default 'f'`,
      'alter table "x"."t" alter column "w" drop default ',
    ],
  );
});

test("columns that take each other's names have others in between", () => {
  assert.deepEqual(statements(planOf({ 1: column("id"), 2: column("w"), 3: column("v") })), [
    'alter table "x"."t" rename column "v" to "tideway_renamed_0"',
    'alter table "x"."t" rename column "w" to "tideway_renamed_1"',
    'alter table "x"."t" rename column "tideway_renamed_0" to "w"',
    'alter table "x"."t" rename column "tideway_renamed_1" to "v"',
  ]);
});

test("what a table above has passed on already is not done again", () => {
  const after = planOf({ 1: column("id"), 2: column("u"), 4: column("n") });
  assert.deepEqual(statements(after, [column("id"), column("u"), column("n")]), []);
});

test("defaults and NOT NULL follow where the target's are others", () => {
  const wanted = [column("a", { default: "1" }), column("b"), column("c", { nullable: false })];
  const there = [column("a"), column("b", { default: "2", nullable: false }), column("c")];
  const present = new Map(there.map((one) => [one.name, one]));
  assert.deepEqual(defaultStatements({ schema: "x", name: "t" }, wanted, present), [
    'alter table "x"."t" alter column "a" set default 1',
    'alter table "x"."t" alter column "b" drop default',
    'alter table "x"."t" alter column "b" drop not null',
  ]);
  assert.deepEqual(notNullColumns(wanted, present), ["c"]);
});
