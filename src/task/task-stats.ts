import type { TaskStats } from "./records.ts";
import type { TaskProgress } from "./task.ts";

/** A task's numbers as they are kept and shown. */
export function taskStats(progress: TaskProgress): TaskStats {
  const counts = { loaded: 0, loading: 0, queued: 0, errored: 0 };
  for (const table of progress.tables) counts[columnOf[table.state]]++;
  return {
    fullLoadPercent: Math.floor(progress.fullLoadPercent),
    tablesLoaded: counts.loaded,
    tablesLoading: counts.loading,
    tablesQueued: counts.queued,
    tablesErrored: counts.errored,
    fullLoadStartMs: progress.fullLoadStartMs,
    fullLoadEndMs: progress.fullLoadEndMs,
  };
}

const columnOf = {
  "Before load": "queued",
  "Full load": "loading",
  "Table is being reloaded": "loading",
  "Table completed": "loaded",
  "Table error": "errored",
} as const;
