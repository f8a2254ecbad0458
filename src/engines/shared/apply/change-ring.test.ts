import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import { ChangeRing, NO_CHANGES } from "./change-ring.ts";

test("commands come out as they went in, also when there are more than there was room for", () => {
  const ring = new ChangeRing();
  const batches: ChangeBatch[] = Array.from({ length: 3 }, () => ({ ...NO_CHANGES }));
  const push = (i: number): void => ring.push(i, 2 * i, { batch: batches[i % 3]!, at: 4 * i });
  let taken = 0;
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) {
      assert.deepEqual([ring.expectation, ring.rows, ring.place.at], [taken, 2 * taken, 4 * taken]);
      assert.equal(ring.place.batch, batches[taken % 3]);
      ring.shift(1);
      taken++;
    }
  };
  for (let i = 0; i < 3_000; i++) push(i);
  take(2_500);
  for (let i = 3_000; i < 12_000; i++) push(i);
  assert.equal(ring.length, 9_500);
  take(9_500);
  assert.equal(ring.length, 0);
});
