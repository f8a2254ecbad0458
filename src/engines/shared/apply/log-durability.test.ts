import assert from "node:assert/strict";
import { test } from "node:test";
import type { Position } from "../../../core/position.ts";
import { LogDurability, type LogState } from "./log-durability.ts";

/** Positions of the source: numbers of another log than the target's. */
const at = (n: number): Position => ({ kind: "number", text: String(n) });

/** What the target says: the end of its log, and how far of it is on disk. */
function answer(end: number, onDisk: number): LogState {
  return { end: BigInt(end), onDisk: BigInt(onDisk) };
}

test("a commit is durable at once when all of the target's log is on disk", () => {
  const durability = new LogDurability();
  durability.committed(at(1));
  assert.deepEqual(durability.told(answer(500, 500)), at(1));
  assert.equal(durability.newest, undefined);
  assert.equal(durability.dueInMs, undefined);
});

test("a commit is not durable before the log is on disk up to where it ended after the commit", () => {
  const durability = new LogDurability();
  durability.committed(at(1));
  assert.equal(durability.told(answer(500, 300)), undefined);
  assert.equal(durability.told(answer(800, 499)), undefined);
  assert.deepEqual(durability.newest, at(1));
  assert.deepEqual(durability.told(answer(900, 500)), at(1));
  assert.equal(durability.newest, undefined);
});

test("a later commit is not told with an earlier one that is on disk", () => {
  const durability = new LogDurability();
  durability.committed(at(1));
  assert.equal(durability.told(answer(500, 300)), undefined);
  durability.committed(at(2));
  assert.deepEqual(durability.told(answer(900, 600)), at(1));
  assert.deepEqual(durability.newest, at(2));
  assert.equal(durability.told(answer(1_000, 899)), undefined);
  assert.deepEqual(durability.told(answer(1_000, 900)), at(2));
});

test("commits go on being told while the disk never catches up with the log", () => {
  const durability = new LogDurability();
  const told: Position[] = [];
  for (let i = 1; i <= 20; i++) {
    durability.committed(at(i));
    const position = durability.told(answer(1_000 + 100 * i, 850 + 100 * i));
    if (position !== undefined) told.push(position);
  }
  assert.ok(told.length >= 9, `${told.length} told`);
  for (let i = 1; i < told.length; i++) assert.ok(Number(told[i - 1]!.text) < Number(told[i]!.text));
  assert.deepEqual(durability.newest, at(20));
});

test("a commit that waited for the disk settles all before it", () => {
  const durability = new LogDurability();
  durability.committed(at(1));
  durability.told(answer(500, 300));
  durability.settled();
  assert.equal(durability.newest, undefined);
  assert.equal(durability.isDue, false);
  assert.equal(durability.told(answer(900, 900)), undefined);
});

test("the target is asked at once after a first commit, and then not more often than every 50 ms", (context) => {
  let now = 1_000_000;
  context.mock.method(performance, "now", () => now);
  const durability = new LogDurability();
  assert.equal(durability.isDue, false);
  durability.committed(at(1));
  assert.equal(durability.isDue, true);
  durability.told(answer(500, 300));
  assert.equal(durability.isDue, false);
  assert.equal(durability.dueInMs, 50);
  now += 49;
  assert.equal(durability.isDue, false);
  now += 1;
  assert.equal(durability.isDue, true);
  assert.equal(durability.dueInMs, 1);
});
