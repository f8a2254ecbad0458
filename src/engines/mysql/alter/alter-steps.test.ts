import assert from "node:assert/strict";
import { test } from "node:test";
import { column, table } from "../../../../test/support/pgoutput-messages.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { columnSteps, tradesNames } from "./alter-steps.ts";

/** A table's columns by their numbers. */
function planOf(names: Readonly<Record<number, string>>): TablePlan {
  const columns = Object.entries(names).map(([number, name]) => ({
    ...{ number: Number(number), name, type: "int", version: name, computed: null, fill: null },
  }));
  const source = table({
    columns: Object.values(names).map((name) => column(name)),
    shape: { table: "1", storage: "1", columnsEver: 9, columns },
  });
  return { source, target: source, loadOrder: 0 };
}

const from = planOf({ 1: "id", 2: "v" });

test("a column that an attempt before has added is begun, not added again", () => {
  const to = planOf({ 1: "id", 2: "v", 3: "new", 4: "newer" });
  const steps = columnSteps({ from, to }, new Set(["id", "v", "new"]));
  assert.deepEqual([steps.added, steps.begun], [[3], [2]]);
});

test("a column that takes a name which another gives up is added", () => {
  const to = planOf({ 1: "id", 2: "w", 3: "v" });
  const steps = columnSteps({ from, to }, new Set(["id", "v"]));
  assert.deepEqual([steps.added, steps.begun], [[2], []]);
  const dropped = columnSteps({ from, to: planOf({ 1: "id", 3: "v" }) }, new Set(["id", "v"]));
  assert.deepEqual([dropped.dropped, dropped.added, dropped.begun], [["v"], [1], []]);
});

test("columns trade names where one takes what another has given up", () => {
  const trades = (names: Readonly<Record<number, string>>): boolean =>
    tradesNames({ from: planOf({ 1: "id", 2: "a", 3: "b" }), to: planOf(names) });
  assert.equal(trades({ 1: "id", 2: "b", 3: "a" }), true);
  assert.equal(trades({ 1: "id", 2: "b", 3: "c" }), true);
  assert.equal(trades({ 1: "id", 2: "c", 3: "d" }), false);
  assert.equal(trades({ 1: "id", 2: "A", 3: "b" }), false);
  assert.equal(trades({ 1: "id", 2: "b" }), false);
  assert.equal(trades({ 1: "id", 2: "c", 4: "a" }), false);
});
