import assert from "node:assert/strict";
import { test } from "node:test";
import { lagsOf, parseBeats } from "./changes/heartbeat.ts";
import { percentile, spreadOf } from "./statistics.ts";

test("the median is the middle, or between the two middles", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  assert.deepEqual(spreadOf([10, 9]), { median: 9.5, min: 9, max: 10 });
  assert.equal(spreadOf([]), undefined);
});

test("a percentile is a value that was measured", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(values, 0.5), 50);
  assert.equal(percentile(values, 0.99), 99);
  assert.equal(percentile([7], 0.99), 7);
  assert.throws(() => percentile([], 0.5));
});

test("a heartbeat's lag ends when it, or a later one, is seen", () => {
  const sent = [
    { id: 1, atMs: 1000 },
    { id: 2, atMs: 1020 },
    { id: 3, atMs: 1040 },
  ];
  const seen = parseBeats("1 1.003\n3 1.045\n1000000000 1.090\n");
  assert.deepEqual(
    lagsOf(sent, seen).map((lag) => Math.round(lag)),
    [3, 25, 5],
  );
  assert.throws(() => lagsOf(sent, seen.slice(0, 1)), /never reached/);
});
