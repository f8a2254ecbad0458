import assert from "node:assert/strict";
import { test } from "node:test";
import { tableProgress, taskProgress } from "../../test/support/progress.ts";
import type { TableProgress, TaskPhase, TaskProgress } from "./task.ts";
import { goneTables, ReloadRelay, stillWanted, withReloads } from "./wanted-reloads.ts";

const a = { schema: "s", name: "a" };
const b = { schema: "s", name: "b" };
const nothing = { reloads: undefined, lastReload: undefined };

/** Of tables with the numbers of the wishes that were answered last. */
function progress(answered: Readonly<Record<string, number | undefined>>, phase: TaskPhase): TaskProgress {
  const tables = Object.entries(answered).map(([name, reloadAnswered]) =>
    tableProgress(name, { id: { schema: "s", name }, reloadAnswered }),
  );
  return taskProgress(tables, { phase });
}

test("a wish stands until it is answered or its table is gone, and a later one is another", () => {
  const { reloads: wanted, lastReload } = withReloads(withReloads(nothing, [a, b]), [b]);
  assert.equal(lastReload, 2);
  const left = (answered: Readonly<Record<string, number | undefined>>, phase: TaskPhase): unknown =>
    stillWanted(wanted, progress(answered, phase))?.map(({ name, number }) => [name, number]);
  const both = [
    ["a", 1],
    ["b", 2],
  ];
  assert.deepEqual(left({ a: 1, b: 2 }, "preparing"), both);
  assert.deepEqual(left({ a: undefined, b: 1 }, "replicating"), both);
  assert.deepEqual(left({ a: 1, b: undefined }, "replicating"), [["b", 2]]);
  assert.deepEqual(left({ b: 1 }, "full-load"), [["b", 2]]);
  assert.equal(left({ a: 1, b: 2 }, "replicating"), undefined);
  assert.equal(stillWanted(undefined, progress({}, "replicating")), undefined);
});

test("to compare a table anew is another wish than to load it again", () => {
  const anew = { ...a, validateOnly: true } as const;
  const { reloads: wanted } = withReloads(withReloads(nothing, [a]), [anew]);
  assert.deepEqual(wanted, [
    { ...a, number: 1 },
    { ...anew, number: 2 },
  ]);
  const left = (answered: Partial<TableProgress>): unknown =>
    stillWanted(wanted, taskProgress([tableProgress("a", { id: a, ...answered })]))?.map(
      ({ number }) => number,
    );
  assert.deepEqual(left({ reloadAnswered: 2 }), [2]);
  assert.deepEqual(left({ revalidationAnswered: 2 }), [1]);
  assert.equal(left({ reloadAnswered: 1, revalidationAnswered: 2 }), undefined);
  const relay = new ReloadRelay();
  relay.begins("t", wanted);
  assert.deepEqual(relay.heard("t", progress({ a: undefined }, "replicating")), wanted);
});

test("numbers of wishes are not given again when all are answered", () => {
  const answered = { ...withReloads(nothing, [a]), reloads: undefined };
  assert.deepEqual(withReloads(answered, [a]).reloads, [{ ...a, number: 2 }]);
});

test("tables that were to be loaded again and are gone are named, once the task knows its tables", () => {
  const { reloads: wanted } = withReloads(nothing, [a, b]);
  assert.deepEqual(goneTables(wanted, progress({}, "assessing")), []);
  assert.deepEqual(
    goneTables(wanted, progress({ b: 1 }, "replicating")).map(({ name }) => name),
    ["a"],
  );
  assert.deepEqual(goneTables(undefined, progress({}, "replicating")), []);
});

test("a worker is told once it knows its tables, of those alone, and the next one again", () => {
  const [first, second] = [
    { ...a, number: 1 },
    { ...b, number: 2 },
  ];
  const relay = new ReloadRelay();
  relay.begins("t", [first]);
  assert.deepEqual(relay.asked("t", [second, first]), []);
  assert.deepEqual(relay.heard("t", progress({}, "preparing")), []);
  assert.deepEqual(relay.heard("t", progress({ a: 1, b: 1 }, "full-load")), [first, second]);
  assert.deepEqual(relay.heard("t", progress({ a: 1, b: 1 }, "replicating")), []);
  assert.deepEqual(relay.asked("t", [second]), [second]);
  assert.deepEqual(relay.heard("t", progress({ a: 1, b: 1 }, "assessing")), []);
  assert.deepEqual(relay.asked("t", [second]), []);
  assert.deepEqual(relay.heard("t", progress({ a: 1, b: 1 }, "catching-up")), [second]);
  relay.begins("t", [first, second]);
  assert.deepEqual(relay.asked("t", [first]), []);
  assert.deepEqual(relay.heard("t", progress({ a: 1 }, "replicating")), [first]);
  relay.ended("t");
  assert.deepEqual(relay.asked("t", [first]), []);
});

test("a wish that comes while a task is handed over is not lost to an older one of its table in the record", () => {
  const relay = new ReloadRelay();
  const newer = { ...a, number: 2 };
  assert.deepEqual(relay.asked("t", [newer]), []);
  relay.begins("t", [{ ...a, number: 1 }]);
  assert.deepEqual(relay.heard("t", progress({ a: undefined }, "replicating")), [newer]);
});
