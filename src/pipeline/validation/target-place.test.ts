import assert from "node:assert/strict";
import { test } from "node:test";
import type { Position, PositionCodec } from "../../core/position.ts";
import { FollowedPlace, type FollowedTask, TimedPlace } from "./target-place.ts";

const { signal } = new AbortController();
const at = (text: string): Position => ({ kind: "number", text });
const positions: PositionCodec = {
  parse: at,
  compare: (a, b) => Math.sign(Number(a.text) - Number(b.text)) as -1 | 0 | 1,
};

/** Ends of the source's log and places of the target, one after the other; the last ones stay. */
function task(ends: number[], places: (number | "left" | undefined)[]): FollowedTask {
  const next = <Item>(list: Item[]): Item => (list.length > 1 ? list.shift()! : list[0]!);
  return {
    positions,
    end: async () => at(String(next(ends))),
    applied: async () => {
      const place = next(places);
      return typeof place === "number" ? at(String(place)) : place;
    },
  };
}

const never = new TimedPlace(Number.POSITIVE_INFINITY);

test("a target has passed a position when its task has applied it", async () => {
  const places: (number | undefined)[] = [undefined, undefined, 3, 9, 10, 99];
  await new FollowedPlace(task([10], places), never).passed(signal);
  assert.deepEqual(places, [99]);
});

test("what stays for six rounds is decided, and for three where the source has committed nothing meanwhile", async () => {
  const moving = new FollowedPlace(task([1, 2, 3, 4], [9]), never);
  const startedMs = performance.now() - 1;
  for (let round = 0; round < 3; round++) await moving.passed(signal);
  const movedMs = performance.now();
  const moved = { ms: movedMs - startedMs, nowMs: movedMs };
  assert.equal(moving.decides({ rounds: 5, ...moved }), false);
  assert.equal(moving.decides({ rounds: 6, ...moved }), true);

  const still = new FollowedPlace(task([1], [9]), never);
  await still.passed(signal);
  const sinceMs = performance.now();
  for (let round = 0; round < 3; round++) await still.passed(signal);
  const nowMs = performance.now();
  const stayed = { ms: nowMs - sinceMs, nowMs };
  assert.equal(still.decides({ rounds: 3, ...stayed }), true);
  assert.equal(still.decides({ rounds: 2, ...stayed }), false);
});

test("while a task is left it decides nothing: time does, and the task again when it goes on", async () => {
  const place = new FollowedPlace(task([10], [3, 3, "left", "left", 3, 10, 10]), new TimedPlace(0));
  await place.passed(signal);
  assert.deepEqual([place.isFollowed, place.turns], [false, 1]);
  assert.equal(place.decides({ rounds: 2, ms: 0, nowMs: 0 }), true);
  await place.passed(signal);
  assert.deepEqual([place.isFollowed, place.turns], [false, 1]);
  await place.passed(signal);
  assert.deepEqual([place.isFollowed, place.turns], [true, 2]);
  assert.equal(place.decides({ rounds: 2, ms: 0, nowMs: 0 }), false);
});

test("a task is looked at without waiting for it", async () => {
  const place = new FollowedPlace(task([10], [3, "left", "left", undefined]), never);
  const looks: unknown[] = [];
  for (let look = 0; look < 4; look++) {
    await place.look(signal);
    looks.push([place.isFollowed, place.turns]);
  }
  const wanted = [
    [true, 0],
    [false, 1],
    [false, 1],
    [true, 2],
  ];
  assert.deepEqual(looks, wanted);
});

test("time decides when a difference has stayed so long in two rounds", () => {
  const place = new TimedPlace(5_000);
  const nowMs = performance.now();
  assert.equal(place.decides({ rounds: 9, ms: 4_999, nowMs }), false);
  assert.equal(place.decides({ rounds: 1, ms: 9_000, nowMs }), false);
  assert.equal(place.decides({ rounds: 2, ms: 5_000, nowMs }), true);
});
