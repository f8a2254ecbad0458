import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangedRows } from "./changed-rows.ts";

const table = { schema: "shop", name: "orders" };

test("rows that come back after their table was forgotten are not gathered", () => {
  const changed = new ChangedRows();
  changed.follow(table, [0]);
  changed.putBack(table, ['["1"]', '["2"]']);
  assert.deepEqual(changed.take(table, 1), { keys: ['["1"]'], others: false, emptied: false });
  assert.equal(changed.hasMore(table), true);
  changed.forget(table);
  changed.putBack(table, ['["1"]']);
  assert.equal(changed.pending(table), 0);
  assert.equal(changed.hasMore(table), false);
});

test("nothing of what was gathered by another key is left", () => {
  const changed = new ChangedRows();
  changed.follow(table, [0]);
  changed.putBack(table, ['["1"]']);
  changed.follow(table, [1]);
  assert.equal(changed.pending(table), 0);
  assert.deepEqual(changed.take(table, 10), { keys: [], others: false, emptied: false });
});
