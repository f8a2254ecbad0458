import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachLimited, runLanes } from "./lanes.ts";

test("every item is worked on once and never more than the limit at once", async () => {
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  await forEachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(item);
    running--;
  });
  assert.deepEqual(seen.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(most, 3);
});

test("after a failure no further item is taken, and the failure is thrown once all lanes have ended", async () => {
  let taken = 0;
  let finished = 0;
  await assert.rejects(
    runLanes(
      2,
      async () => ++taken,
      async (item) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (item === 3) throw new Error("third");
        finished++;
      },
    ),
    /third/,
  );
  assert.ok(taken <= 5);
  assert.ok(finished >= 2);
});

test("no items means no work", async () => {
  await forEachLimited([], 4, async () => assert.fail("called"));
});
