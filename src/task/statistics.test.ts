import assert from "node:assert/strict";
import { test } from "node:test";
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
