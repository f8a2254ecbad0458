import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyHistogram } from "./latency-histogram.ts";

test("percentiles are within a tenth of the exact ones", () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 10_000; ms++) histogram.record(ms);
  for (const share of [0.5, 0.9, 0.99]) {
    const exact = 10_000 * share;
    assert.ok(Math.abs(histogram.percentile(share) - exact) / exact < 0.1, `${share}`);
  }
  assert.equal(histogram.maxMs, 10_000);
  assert.equal(histogram.percentile(1), 10_000);
});

test("nothing recorded is zero, and a clock that runs behind counts as zero", () => {
  const histogram = new LatencyHistogram();
  assert.equal(histogram.percentile(0.99), 0);
  histogram.record(-500);
  assert.equal(histogram.percentile(0.5), 0);
  assert.equal(histogram.count, 1);
});

test("a percentile is not below what was recorded, however short it was", () => {
  for (const ms of [0, 0.4, 1, 3, 50, 10_000]) {
    const histogram = new LatencyHistogram();
    histogram.record(ms);
    histogram.record(1e9);
    const half = histogram.percentile(0.5);
    assert.ok(half >= ms && half <= 1.1 * ms + 0.1, `${half} for ${ms}`);
  }
});
