import assert from "node:assert/strict";
import { test } from "node:test";
import { faultNames, faultPlan, type PlannedFault } from "./fault-plan.ts";

function first(count: number, seed: number): PlannedFault[] {
  const plan = faultPlan(faultNames, seed);
  return Array.from({ length: count }, () => plan.next().value);
}

const names = (faults: readonly PlannedFault[]): string[] => faults.map(({ name }) => name);

test("a seed gives the same faults again, with the same choices, and another seed others", () => {
  const choices = (seed: number): unknown[] =>
    first(100, seed).map(({ name, random }) => [name, random.next(), random.next()]);
  assert.deepEqual(choices(7), choices(7));
  assert.notDeepEqual(names(first(100, 7)), names(first(100, 8)));
});

test("each round has every fault once, and is no copy of the one before", () => {
  const faults = names(first(3 * faultNames.length, 4_294_967_295));
  const rounds = [0, 1, 2].map((round) =>
    faults.slice(round * faultNames.length, (round + 1) * faultNames.length),
  );
  for (const round of rounds) assert.deepEqual(round.toSorted(), faultNames.toSorted());
  assert.notDeepEqual(rounds[0], rounds[1]);
  assert.notDeepEqual(rounds[1], rounds[2]);
});

test("what a fault chooses comes from the whole of a list", () => {
  const picked = new Set(first(200, 1).map(({ random }) => random.pick(["a", "b", "c"])));
  assert.deepEqual([...picked].toSorted(), ["a", "b", "c"]);
});
