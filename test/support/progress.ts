import { newTally } from "../../src/task/table-progress.ts";
import type { TableProgress, TaskProgress } from "../../src/task/task.ts";

/** Of a table of 1,000 rows of which nothing is done, but for some members. */
export function tableProgress(name: string, members: Partial<TableProgress> = {}): TableProgress {
  const table = { id: { schema: "shop", name }, estimatedRows: 1000, estimatedBytes: 0 };
  return { ...newTally(table, 0), ...members };
}

/** Of a full load that has just begun, but for some members. */
export function taskProgress(
  tables: readonly TableProgress[],
  members: Partial<TaskProgress> = {},
): TaskProgress {
  return {
    phase: "full-load",
    tables,
    startedMs: 0,
    fullLoadStartMs: 0,
    fullLoadEndMs: undefined,
    fullLoadPercent: 0,
    fullLoadSecondsLeft: undefined,
    recoveryCheckpoint: undefined,
    lag: undefined,
    log: undefined,
    ...members,
  };
}
