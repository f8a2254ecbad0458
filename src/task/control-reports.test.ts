import assert from "node:assert/strict";
import { test } from "node:test";
import { tableProgress, taskProgress } from "../../test/support/progress.ts";
import type { TaskReport } from "../core/journal.ts";
import { HistorySlots, reportToTarget } from "./control-reports.ts";
import type { TaskProgress } from "./task.ts";

const MINUTE = 60_000;

function loaded(rows: number): TaskProgress {
  return taskProgress([tableProgress("t", { fullLoadRows: rows, fullLoadBytes: rows * 2 ** 20 })], {
    phase: "full-load",
  });
}

function changed(changes: number): TaskProgress {
  const lag = {
    currentMs: 2_000,
    p50Ms: 0,
    p99Ms: 0,
    maxMs: 0,
    resolutionMs: 1,
    transactions: 1,
    changes,
  } as const;
  return taskProgress([tableProgress("t", { fullLoadRows: 9, fullLoadBytes: 0 })], {
    phase: "replicating",
    lag,
  });
}

test("a slot holds what came in its time, is told again until it ends, and another kind of work begins another", () => {
  const slots = new HistorySlots(5);
  assert.deepEqual(slots.take(loaded(0), 0, "FULL LOAD"), []);
  const first = { work: "FULL LOAD", endMs: 5 * MINUTE, minutes: 5, latencyS: undefined };
  assert.deepEqual(slots.take(loaded(3), MINUTE, "FULL LOAD"), [{ ...first, records: 3, volumeMb: 3 }]);
  assert.deepEqual(slots.take(loaded(7), 5 * MINUTE, "FULL LOAD"), [{ ...first, records: 7, volumeMb: 7 }]);
  const second = { ...first, endMs: 10 * MINUTE };
  assert.deepEqual(slots.take(loaded(9), 6 * MINUTE, "CHANGE PROCESSING"), [
    { ...second, records: 2, volumeMb: 2 },
  ]);
  const changes = {
    work: "CHANGE PROCESSING",
    endMs: 11 * MINUTE,
    minutes: 5,
    latencyS: 2,
    volumeMb: undefined,
  };
  assert.deepEqual(slots.take(changed(40), 7 * MINUTE, "CHANGE PROCESSING"), [{ ...changes, records: 40 }]);
  assert.deepEqual(slots.take(changed(41), 8 * MINUTE, "NOT RUNNING"), [{ ...changes, records: 41 }]);
  assert.deepEqual(slots.take(changed(41), 9 * MINUTE, "NOT RUNNING"), []);
});

test("only what the settings ask for is written, and a task that ends says so", async () => {
  const reports: TaskReport[] = [];
  const statistics = { snapshot: () => changed(1) };
  const journal = {
    async report(report: TaskReport) {
      reports.push(report);
    },
  };
  const { signal } = new AbortController();
  const settings = { optionalTables: [] as const, historySlotMinutes: 5 };
  await reportToTarget({ settings, statistics, journal, signal })[Symbol.asyncDispose]();
  assert.equal(reports.length, 0);
  const asking = { ...settings, optionalTables: ["awsdms_status"] as const };
  await reportToTarget({ settings: asking, statistics, journal, signal })[Symbol.asyncDispose]();
  assert.deepEqual(
    reports.map(({ status, slots }) => [status?.work, slots]),
    [
      ["CHANGE PROCESSING", undefined],
      ["NOT RUNNING", undefined],
    ],
  );
});
