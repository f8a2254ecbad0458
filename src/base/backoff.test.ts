import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, pause } from "./backoff.ts";

test("delays double up to the longest and end when the retries are used up", () => {
  const backoff = new Backoff({ retries: 4, firstDelayMs: 5, doubling: true, longestDelayMs: 20 });
  const delays = Array.from({ length: 5 }, () => backoff.failed());
  assert.deepEqual(delays, [5, 10, 20, 20, undefined]);
});

test("without a limit it never gives up, and a success starts it over", () => {
  const backoff = new Backoff({ retries: undefined, firstDelayMs: 1, doubling: true, longestDelayMs: 1000 });
  for (let i = 0; i < 100; i++) assert.notEqual(backoff.failed(), undefined);
  assert.equal(backoff.failed(), 1000);
  backoff.reset();
  assert.equal(backoff.failed(), 1);
});

test("a pause ends at once when its signal is aborted", async () => {
  const abort = new AbortController();
  const paused = pause(60_000, abort.signal);
  abort.abort();
  await assert.rejects(paused, { name: "AbortError" });
});
