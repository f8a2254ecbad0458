import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournaledTable } from "../core/journal.ts";
import { tableKey } from "../core/schema.ts";
import { TaskStatistics } from "./statistics.ts";

test("parts that are read again count once, and so do their rows that were left out", () => {
  const statistics = new TaskStatistics({ progress() {}, finding() {}, log() {} });
  const id = { schema: "s", name: "t" };
  const counted = (): readonly number[] =>
    statistics
      .snapshot()
      .tables.flatMap((table) => [table.fullLoadRows, table.fullLoadBytes, table.fullLoadErrorRows]);
  statistics.setTables([{ id, estimatedRows: 10, estimatedBytes: 100 }]);
  for (let reading = 1; reading <= 2; reading++) {
    statistics.loadStarted(id);
    statistics.loadMoved(id, 10, 100);
    statistics.loadLeftOut(id, { refused: 2, logged: 2 });
    assert.deepEqual(counted(), [8, 100, 2], `reading ${reading}`);
    statistics.loadForgotten(id);
    assert.deepEqual(counted(), [0, 0, 0]);
  }
  statistics.close();
});

test("what was left out is as the target has recorded it, and what was under way is not pending any more", () => {
  const statistics = new TaskStatistics({ progress() {}, finding() {}, log() {} });
  const id = { schema: "s", name: "t" };
  const counted = (): readonly number[] =>
    statistics
      .snapshot()
      .tables.flatMap((table) => [
        ...[table.fullLoadErrorRows, table.refused],
        ...[table.conflicts, table.pendingChanges],
      ]);
  const counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0, conflicts: 0, refused: 0, logged: 0 };
  const journaled: JournaledTable = {
    ...{ id, created: true, keepsRows: false, state: "ready" },
    ...{ reason: undefined, shape: undefined, partitions: [] },
  };
  statistics.setTables([{ id, estimatedRows: 10, estimatedBytes: 100 }]);
  statistics.restore(journaled, { conflicts: 7, refused: 5, loaded: 3 });
  assert.deepEqual(counted(), [3, 2, 7, 0]);
  const taken = new Map([[tableKey(id), { ...counts, inserts: 4, updates: 2 }]]);
  statistics.taken(taken);
  statistics.captured(taken);
  const tables = new Map([[tableKey(id), { ...counts, inserts: 1, conflicts: 1, refused: 1 }]]);
  statistics.applied({ position: { kind: "none", text: "" }, committedAtMs: [], tables });
  assert.deepEqual(counted(), [3, 3, 8, 3]);
  // The answer to a commit was lost with its connection: the record has one more.
  statistics.restore(journaled, { conflicts: 8, refused: 7, loaded: 3 });
  assert.deepEqual(counted(), [3, 4, 8, 0]);
  // They were tried again.
  statistics.recorded(id, undefined);
  assert.deepEqual(counted(), [0, 0, 0, 0]);
  statistics.restore(journaled, { conflicts: 8, refused: 7, loaded: 3 });
  statistics.reloading(id);
  assert.deepEqual(counted(), [0, 0, 0, 0]);
  statistics.close();
});
