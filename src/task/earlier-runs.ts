import { tableKey } from "../core/schema.ts";
import type { TaskStats } from "./records.ts";
import type { TableProgress, TaskProgress } from "./task.ts";

/** What a task has done before the worker that runs it now began; a worker counts from nothing. */
export interface EarlierRuns {
  /** By key. */
  readonly tables: ReadonlyMap<string, TableProgress>;
  readonly fullLoadStartMs: number | undefined;
  readonly fullLoadEndMs: number | undefined;
}

export const noRuns: EarlierRuns = {
  tables: new Map(),
  fullLoadStartMs: undefined,
  fullLoadEndMs: undefined,
};

interface KnownRuns {
  readonly stored: readonly TableProgress[];
  readonly stats: TaskStats | undefined;
  /** What was told last and may not be stored yet. A worker that ended soon may not have known its tables. */
  readonly last: TaskProgress | undefined;
}

export function earlierRuns({ stored, stats, last }: KnownRuns): EarlierRuns {
  const { fullLoadStartMs, fullLoadEndMs } = last ?? stats ?? noRuns;
  const tables = new Map<string, TableProgress>();
  for (const table of [...stored, ...(last?.tables ?? [])]) tables.set(tableKey(table.id), table);
  return { tables, fullLoadStartMs, fullLoadEndMs };
}

/** The progress of a task since it was started anew last, from that of its present worker. */
export function withEarlierRuns(progress: TaskProgress, earlier: EarlierRuns): TaskProgress {
  const { fullLoadStartMs, fullLoadEndMs } = progress;
  const hasLoaded = fullLoadStartMs !== undefined;
  return {
    ...progress,
    tables: progress.tables.map((table) => withEarlier(table, earlier.tables.get(tableKey(table.id)))),
    fullLoadStartMs: earlier.fullLoadStartMs ?? fullLoadStartMs,
    fullLoadEndMs: hasLoaded ? fullLoadEndMs : (earlier.fullLoadEndMs ?? fullLoadEndMs),
  };
}

function withEarlier(table: TableProgress, earlier: TableProgress | undefined): TableProgress {
  if (earlier === undefined) return table;
  // Times of a load belong together; a table that is to be loaded again has none.
  const isSameLoad = table.fullLoadStartMs === undefined && !table.reloaded;
  const { fullLoadStartMs, fullLoadEndMs } = isSameLoad ? earlier : table;
  // Before this run has looked at it.
  const validation = table.validation ?? earlier.validation;
  return {
    ...table,
    ...(validation === undefined ? {} : { validation }),
    ...{ fullLoadStartMs, fullLoadEndMs },
    reloaded: table.reloaded || earlier.reloaded,
    inserts: table.inserts + earlier.inserts,
    updates: table.updates + earlier.updates,
    deletes: table.deletes + earlier.deletes,
    ddls: table.ddls + earlier.ddls,
    appliedInserts: table.appliedInserts + earlier.appliedInserts,
    appliedUpdates: table.appliedUpdates + earlier.appliedUpdates,
    appliedDeletes: table.appliedDeletes + earlier.appliedDeletes,
    appliedDdls: table.appliedDdls + earlier.appliedDdls,
    // A table that is loaded again is without those of the load before. Earlier versions have counted none.
    cutValues: table.cutValues + (table.reloaded ? 0 : (earlier.cutValues ?? 0)),
  };
}
