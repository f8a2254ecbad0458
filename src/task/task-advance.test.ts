import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskProgress } from "./task.ts";
import { TaskAdvance } from "./task-advance.ts";

function progress(rows: number, recoveryCheckpoint?: string): TaskProgress {
  const table = { fullLoadRows: rows, appliedInserts: 0, appliedUpdates: 0, appliedDeletes: 0 };
  return { tables: [table], recoveryCheckpoint } as unknown as TaskProgress;
}

test("a task advances with more rows than ever before or another checkpoint, not by doing the same again", () => {
  const advance = new TaskAdvance();
  assert.equal(advance.advanced("a", progress(5)), false);
  assert.equal(advance.advanced("a", progress(10)), true);
  assert.equal(advance.advanced("a", progress(0)), false);
  assert.equal(advance.advanced("a", progress(10)), false);
  assert.equal(advance.advanced("a", progress(11)), true);
  assert.equal(advance.advanced("a", progress(0, "0/2")), true);
  assert.equal(advance.advanced("a", progress(0, "0/2")), false);
  assert.equal(advance.advanced("b", progress(99)), false);
});

test("rows of all tables count, whether they were loaded or changed", () => {
  const counts = { fullLoadRows: 4, appliedInserts: 3, appliedUpdates: 2, appliedDeletes: 1 };
  for (const count of Object.keys(counts) as (keyof typeof counts)[]) {
    const advance = new TaskAdvance();
    const tables = (more: number): TaskProgress =>
      ({ tables: [counts, { ...counts, [count]: counts[count] + more }] }) as unknown as TaskProgress;
    assert.equal(advance.advanced("a", tables(0)), false);
    assert.equal(advance.advanced("a", tables(1)), true, count);
    assert.equal(advance.advanced("a", tables(1)), false, count);
  }
});

test("a task that is forgotten begins anew", () => {
  const advance = new TaskAdvance();
  advance.advanced("a", progress(5));
  advance.forget("a");
  assert.equal(advance.advanced("a", progress(10)), false);
});
