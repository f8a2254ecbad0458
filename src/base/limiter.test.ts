import assert from "node:assert/strict";
import { test } from "node:test";
import { Limiter } from "./limiter.ts";

test("work beyond the limit waits its turn, and a failure frees its place", async () => {
  const limiter = new Limiter(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = (id: number) => async (): Promise<number> => {
    most = Math.max(most, ++running);
    order.push(id);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    if (id === 1) throw new Error("first");
    return id;
  };
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map((id) => limiter.run(work(id))));
  assert.equal(most, 2);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  assert.deepEqual(
    results.map((result) => result.status),
    ["rejected", "fulfilled", "fulfilled", "fulfilled", "fulfilled"],
  );
});

test("who waits no longer than a limit is told so, and takes no place from those behind", async () => {
  const limiter = new Limiter(1);
  assert.equal(await limiter.enter(1), true);
  const first = limiter.enter();
  const impatient = limiter.enter(1);
  const last = limiter.enter(60_000);
  assert.equal(await impatient, false);
  limiter.leave();
  assert.equal(await first, true);
  limiter.leave();
  assert.equal(await last, true);
  limiter.leave();
  assert.equal(await limiter.enter(1), true);
});
