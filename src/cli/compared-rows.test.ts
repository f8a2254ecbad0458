import assert from "node:assert/strict";
import { test } from "node:test";
import { ComparedRows } from "./compared-rows.ts";

const [a, b] = ["a", "b"].map((name) => ({ schema: "s", name }));

function planned(estimatedRows: number | undefined): ComparedRows {
  const rows = new ComparedRows();
  rows.planned([
    { table: a!, estimatedRows: 100 },
    { table: b!, estimatedRows },
  ]);
  return rows;
}

test("what a table that is done has had counts instead of what was expected", () => {
  const rows = planned(1_000);
  rows.add(a!, 20);
  assert.equal(rows.estimated, 1_100);
  rows.end(a!);
  assert.equal(rows.estimated, 1_020);
  rows.add(b!, 3_000);
  assert.deepEqual([rows.read, rows.estimated], [3_020, 3_020]);
});

test("a table without an estimate leaves it open how many rows come, until it is done", () => {
  const rows = planned(undefined);
  rows.add(b!, 7);
  assert.equal(rows.estimated, undefined);
  rows.end(b!);
  assert.equal(rows.estimated, 107);
});

test("rows that were read before are read, and say nothing of the speed", () => {
  const rows = planned(1_000);
  rows.addBefore(a!, 90);
  const startedMs = performance.now();
  assert.equal(rows.perSecond(startedMs + 10_000), undefined);
  rows.add(b!, 500);
  assert.deepEqual([rows.read, rows.estimated], [590, 1_090]);
  const speed = rows.perSecond(startedMs + 10_000)!;
  assert.ok(speed > 45 && speed <= 50, `${speed} rows a second`);
  assert.equal(rows.perSecond(startedMs + 500), undefined);
});
