import assert from "node:assert/strict";
import { test } from "node:test";
import type { TablePlan } from "../core/plan.ts";
import { ChangedRows } from "../pipeline/validation/changed-rows.ts";
import { type BookedTable, newTable } from "./booked-table.ts";
import { ValidationGoal } from "./validation-goal.ts";

const id = { schema: "shop", name: "orders" };

function booked(due: BookedTable["due"]): BookedTable {
  return { plan: { source: { id } } as TablePlan, ...newTable(due) };
}

test("a goal is not reached while a row of it waits or is under way", () => {
  const changed = new ChangedRows();
  changed.follow(id, [0]);
  changed.putBack(id, ['["1"]']);
  const table = booked(undefined);
  const goal = new ValidationGoal(new Map([["orders", table]]), changed);
  assert.equal(
    goal.isReached(() => false),
    false,
  );
  changed.take(id, 1);
  table.underWay = 1;
  table.taken = 1;
  assert.equal(
    goal.isReached(() => false),
    false,
  );
  table.underWay = 0;
  table.done = 1;
  assert.equal(
    goal.isReached(() => false),
    true,
  );
});

test("a whole comparison that ends reaches its goal although rows without a key change all the time", () => {
  const changed = new ChangedRows();
  changed.follow(id, undefined);
  const table = booked("again");
  table.begun = 1;
  const goal = new ValidationGoal(new Map([["orders", table]]), changed);
  table.ended = 1;
  assert.equal(
    goal.isReached(() => false),
    false,
  );
  table.ended = 2;
  assert.equal(
    goal.isReached(() => false),
    true,
  );
  assert.equal(table.due, "again");
});
