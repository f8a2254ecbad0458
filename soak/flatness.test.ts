import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFlatness, flatness } from "./flatness.ts";

const measure = { name: "memory", unit: " MB", slack: 10 };
const many = (count: number, value: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => value(index));

test("what warms up and then goes up and down is flat", () => {
  const samples = many(300, (second) => Math.min(100, second) + (second % 20));
  assert.equal(flatness(measure, samples).verdict, "flat");
});

test("what grows all the time is seen, also when it drops now and then", () => {
  const leak = many(600, (second) => 100 + second);
  assert.equal(flatness(measure, leak).verdict, "grows");
  const restarted = leak.map((value, second) => (second % 50 < 10 ? 60 : value));
  assert.equal(flatness(measure, restarted).verdict, "grows");
});

test("peaks that get higher are seen while the usual stays", () => {
  const samples = many(300, (second) => (second % 10 === 0 ? 100 + second : 100));
  const found = flatness(measure, samples);
  assert.deepEqual([found.middle.median, found.last.median, found.verdict], [100, 100, "grows"]);
});

test("a fifth and the slack are allowed", () => {
  const step = (height: number): number[] => many(300, (second) => (second < 200 ? 100 : height));
  assert.equal(flatness(measure, step(130)).verdict, "flat");
  assert.equal(flatness(measure, step(131)).verdict, "grows");
});

test("a short run is not judged, and says what it saw", () => {
  const found = flatness(measure, [1, 2, 50, 4]);
  assert.equal(found.verdict, "too few samples");
  assert.match(describeFlatness(found), /^memory: .*peak 50 MB: too few samples$/);
  assert.equal(describeFlatness(flatness(measure, [])), "memory: peak 0 MB: too few samples");
});
