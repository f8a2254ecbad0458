import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppliedProgress } from "../core/target.ts";
import { LagMeter } from "./lag-meter.ts";

const NOON = Date.UTC(2026, 0, 31, 12);

test("commits that a log tells in whole seconds make lags that are up to a second too long", () => {
  const meter = new LagMeter();
  meter.record(applied(NOON, NOON, NOON + 1000), NOON + 1250);
  assert.deepEqual(meter.progress, {
    currentMs: 250,
    p50Ms: 1250,
    p99Ms: 1250,
    maxMs: 1250,
    resolutionMs: 1000,
    transactions: 3,
    changes: 0,
  });
});

test("one commit with a fraction shows that the log tells them", () => {
  const meter = new LagMeter();
  meter.record(applied(NOON), NOON + 10);
  meter.record(applied(NOON + 7), NOON + 20);
  meter.record(applied(NOON + 1000), NOON + 1030);
  assert.equal(meter.progress?.resolutionMs, 1);
});

function applied(...committedAtMs: number[]): AppliedProgress {
  return { position: { kind: "test", text: "1" }, committedAtMs, tables: new Map() };
}
