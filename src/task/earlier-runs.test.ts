import assert from "node:assert/strict";
import { test } from "node:test";
import { taskProgress } from "../../test/support/progress.ts";
import { type EarlierRuns, earlierRuns, noRuns, withEarlierRuns } from "./earlier-runs.ts";
import type { TableProgress, TaskProgress } from "./task.ts";

const table: TableProgress = {
  id: { schema: "s", name: "t" },
  state: "Table completed",
  activity: undefined,
  error: undefined,
  fullLoadRows: 7,
  fullLoadBytes: 70,
  fullLoadErrorRows: 3,
  estimatedRows: 7,
  fullLoadStartMs: undefined,
  fullLoadEndMs: undefined,
  reloaded: false,
  ...{ inserts: 1, updates: 2, deletes: 3, ddls: 4 },
  ...{ appliedInserts: 5, appliedUpdates: 6, appliedDeletes: 7, appliedDdls: 8, conflicts: 9, refused: 2 },
  cutValues: 10,
  pendingChanges: 0,
  lastUpdateMs: 99,
};

function progress(tables: readonly TableProgress[], change: Partial<TaskProgress> = {}): TaskProgress {
  return taskProgress(tables, {
    ...{
      phase: "replicating",
      startedMs: 90,
      fullLoadStartMs: undefined,
      fullLoadEndMs: 91,
      fullLoadPercent: 100,
      recoveryCheckpoint: "c",
    },
    ...change,
  });
}

function earlier(known: TableProgress): EarlierRuns {
  return { tables: new Map([['"s"."t"', known]]), fullLoadStartMs: 1, fullLoadEndMs: 2 };
}

test("counts go on from earlier runs, but those that the target keeps, and a table that was loaded then keeps the times of its load", () => {
  const before = earlier({ ...table, fullLoadStartMs: 10, fullLoadEndMs: 20, lastUpdateMs: 50, inserts: 10 });
  const result = withEarlierRuns(progress([table]), before);
  assert.deepEqual(result, {
    ...progress([
      {
        ...table,
        ...{ inserts: 11, updates: 4, deletes: 6, ddls: 8 },
        ...{ appliedInserts: 10, appliedUpdates: 12, appliedDeletes: 14, appliedDdls: 16 },
        cutValues: 20,
        ...{ fullLoadStartMs: 10, fullLoadEndMs: 20 },
      },
    ]),
    ...{ fullLoadStartMs: 1, fullLoadEndMs: 2 },
  });
});

test("a load that goes on or is done again has its own times", () => {
  const before = earlier({ ...table, fullLoadStartMs: 10, fullLoadEndMs: 20 });
  const loading = { ...table, fullLoadStartMs: 30 };
  const now = progress([loading], { fullLoadStartMs: 25, fullLoadEndMs: undefined });
  const result = withEarlierRuns(now, before);
  assert.deepEqual([result.fullLoadStartMs, result.fullLoadEndMs], [1, undefined]);
  const [first] = result.tables;
  assert.deepEqual([first?.fullLoadStartMs, first?.fullLoadEndMs], [30, undefined]);
  const [again] = withEarlierRuns(progress([{ ...table, reloaded: true }]), before).tables;
  assert.deepEqual([again?.fullLoadStartMs, again?.fullLoadEndMs], [undefined, undefined]);
  assert.equal(again?.cutValues, 10, "those of the load before are gone");
});

test("a table's validation is as an earlier run has left it until this one tells of it", () => {
  const found = { state: "Mismatched records", pending: 0, failed: 2, suspended: 0 } as const;
  const before = earlier({ ...table, validation: found });
  assert.deepEqual(withEarlierRuns(progress([table]), before).tables[0]?.validation, found);
  const validation = { ...found, state: "Preparing table" } as const;
  const told = withEarlierRuns(progress([{ ...table, validation }]), before);
  assert.deepEqual(told.tables[0]?.validation, validation);
});

test("a table that earlier runs did not have is as its worker tells", () => {
  assert.deepEqual(withEarlierRuns(progress([table]), noRuns), progress([table]));
});

test("what was told last counts more than what is stored, which counts for tables that were not told of", () => {
  const other = { ...table, id: { schema: "s", name: "u" } };
  const stats = {
    ...{ fullLoadPercent: 100, tablesLoaded: 2, tablesLoading: 0, tablesQueued: 0, tablesErrored: 0 },
    ...{ fullLoadStartMs: 1, fullLoadEndMs: 2 },
  };
  const stored = [table, other];
  const fromStore = earlierRuns({ stored, stats, last: undefined });
  assert.deepEqual([...fromStore.tables.values()], stored);
  assert.deepEqual([fromStore.fullLoadStartMs, fromStore.fullLoadEndMs], [1, 2]);
  const last = progress([{ ...other, inserts: 50 }], { fullLoadStartMs: 3, fullLoadEndMs: 4 });
  const both = earlierRuns({ stored, stats, last });
  assert.deepEqual(
    [...both.tables.values()].map(({ inserts }) => inserts),
    [1, 50],
  );
  assert.deepEqual([both.fullLoadStartMs, both.fullLoadEndMs], [3, 4]);
});
