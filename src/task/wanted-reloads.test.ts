import assert from "node:assert/strict";
import { test } from "node:test";
import { tableProgress } from "../../test/support/progress.ts";
import type { TaskPhase, TaskProgress } from "./task.ts";
import { ReloadRelay, stillWanted, withReloads } from "./wanted-reloads.ts";

const a = { schema: "s", name: "a" };
const b = { schema: "s", name: "b" };

/** Of tables with the times at which they were loaded last. */
function progress(loaded: Readonly<Record<string, number | undefined>>, phase: TaskPhase): TaskProgress {
  const tables = Object.entries(loaded).map(([name, fullLoadStartMs]) =>
    tableProgress(name, { id: { schema: "s", name }, fullLoadStartMs }),
  );
  const nothing = { fullLoadStartMs: undefined, fullLoadEndMs: undefined, fullLoadSecondsLeft: undefined };
  const unknown = { recoveryCheckpoint: undefined, lag: undefined, log: undefined };
  return { phase, tables, startedMs: 0, fullLoadPercent: 0, ...nothing, ...unknown };
}

test("a wish stands until a load of its table has begun after it, or the table is gone", () => {
  const wanted = withReloads(withReloads(undefined, [a, b], 10), [b], 20);
  const askedAt = (left: typeof wanted | undefined): unknown =>
    left?.map(({ name, askedMs }) => [name, askedMs]);
  assert.deepEqual(askedAt(wanted), [
    ["a", 10],
    ["b", 20],
  ]);
  assert.equal(stillWanted(wanted, progress({ a: 15, b: 25 }, "preparing")), wanted);
  assert.deepEqual(askedAt(stillWanted(wanted, progress({ a: 9, b: 19 }, "replicating"))), [
    ["a", 10],
    ["b", 20],
  ]);
  assert.deepEqual(askedAt(stillWanted(wanted, progress({ a: 10, b: undefined }, "replicating"))), [
    ["b", 20],
  ]);
  assert.deepEqual(askedAt(stillWanted(wanted, progress({ b: 5 }, "full-load"))), [["b", 20]]);
  assert.equal(stillWanted(wanted, progress({ a: 11, b: 21 }, "replicating")), undefined);
  assert.equal(stillWanted(undefined, progress({}, "replicating")), undefined);
});

test("a worker is told once it knows its tables, of those alone, and the next one again", () => {
  const relay = new ReloadRelay();
  relay.begins("t", [a]);
  assert.deepEqual(relay.asked("t", [b, a]), []);
  assert.deepEqual(relay.heard("t", progress({}, "preparing")), []);
  assert.deepEqual(relay.heard("t", progress({ a: 1, b: 1 }, "full-load")), [a, b]);
  assert.deepEqual(relay.heard("t", progress({ a: 1, b: 1 }, "replicating")), []);
  assert.deepEqual(relay.asked("t", [b]), [b]);
  relay.begins("t", [a, b]);
  assert.deepEqual(relay.asked("t", [a]), []);
  assert.deepEqual(relay.heard("t", progress({ a: 1 }, "replicating")), [a]);
  relay.ended("t");
  assert.deepEqual(relay.asked("t", [a]), []);
});
