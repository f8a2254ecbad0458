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
