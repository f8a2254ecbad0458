import assert from "node:assert/strict";
import { test } from "node:test";
import { LaneGovernor } from "./lane-governor.ts";

/** Seconds of a load whose rate is a function of the lanes at work; resolves with how many work then. */
async function lanesAfter(
  seconds: number,
  most: number,
  rate: (lanes: number, second: number) => number,
): Promise<number> {
  let now = 0;
  const governor = new LaneGovernor(most, () => now);
  let busy = 0;
  const enter = (): void => {
    void governor.enter().then(() => {
      busy++;
    });
  };
  for (let i = 0; i < most; i++) enter();
  for (let second = 0; second < seconds; second++) {
    // A partition ends, and its lane asks for another.
    await new Promise(setImmediate);
    while (busy > governor.permitted) {
      busy--;
      governor.leave();
      enter();
      await new Promise(setImmediate);
    }
    now += 1_001;
    governor.moved(rate(busy, second) * 1_000_000);
  }
  return governor.permitted;
}

test("a load begins with two lanes, or with one where only one is allowed", () => {
  assert.equal(new LaneGovernor(8).permitted, 2);
  assert.equal(new LaneGovernor(1).permitted, 1);
});

test("lanes are added as long as each moves clearly more, and never beyond the setting", async () => {
  for (const most of [4, 8]) {
    const used: number[] = [];
    await lanesAfter(120, most, (lanes) => {
      used.push(lanes);
      return 10 * lanes;
    });
    assert.equal(Math.max(...used), most);
    assert.ok(used.slice(60).filter((lanes) => lanes === most).length > 50, String(used));
  }
});

test("where more lanes move no more, two go on", async () => {
  const tried: number[] = [];
  await lanesAfter(300, 8, (lanes) => {
    tried.push(lanes);
    return 100;
  });
  assert.ok(Math.max(...tried) <= 3, String(tried));
  // Each trial is two windows; from one to the next it takes twice as long, up to a minute.
  const trials = tried.flatMap((lanes, second) => (lanes === 3 && tried[second - 1] === 2 ? [second] : []));
  const pauses = trials.slice(1).map((second, i) => second - trials[i]! - 2);
  assert.deepEqual([trials[0], ...pauses], [6, 12, 24, 48, 60, 60, 60]);
});

test("a window in which partitions end counts; one in which a lane has nothing to do does not", async () => {
  for (const [lanes, permitted] of [
    [2, 3],
    [1, 2],
  ] as const) {
    let now = 0;
    const governor = new LaneGovernor(8, () => now);
    for (let i = 0; i < lanes; i++) await governor.enter();
    for (let second = 0; second < 20; second++) {
      now += 1_001;
      governor.leave();
      await governor.enter();
      governor.moved(1_000_000);
    }
    assert.equal(governor.permitted, permitted);
  }
});

test("lanes stop being added where they begin to be in each other's way", async () => {
  assert.equal(await lanesAfter(40, 8, (lanes) => (lanes <= 4 ? 10 * lanes : 40 - lanes)), 4);
});

test("a lane that was worth it once and is not any more is given up", async () => {
  const rate = (lanes: number, second: number): number => (second < 12 ? 10 * lanes : 20);
  assert.ok((await lanesAfter(12, 4, rate)) > 2);
  assert.equal(await lanesAfter(400, 4, rate), 2);
});

test("a lane that waits begins as soon as another ends", async () => {
  const governor = new LaneGovernor(8);
  await governor.enter();
  await governor.enter();
  let third = false;
  const waiting = governor.enter().then(() => {
    third = true;
  });
  await new Promise(setImmediate);
  assert.equal(third, false);
  governor.leave();
  await waiting;
});
