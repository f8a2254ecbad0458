import { type TableId, tableKey } from "../core/schema.ts";

/** What was seen of a table that other tasks bring the rows of. */
export interface TableWay {
  /** The task that brings them; undefined where none does. */
  readonly task: string | undefined;
  /** See WatchedTable. */
  readonly told: string | undefined;
  /** The task is loading it at this time. */
  readonly isLoading: boolean;
  /** How often it was found that somebody works on the task, or that nobody does any more. */
  readonly turns: number;
}

/** What a task that only compares has last seen of its tables. It outlives attempts. */
export class SeenTables {
  readonly #ways = new Map<string, TableWay>();
  readonly #described = new Map<string, string>();

  way(table: TableId): TableWay | undefined {
    return this.#ways.get(tableKey(table));
  }

  setWay(table: TableId, way: TableWay): void {
    this.#ways.set(tableKey(table), way);
  }

  /** Whether the table on the target is described by another text than before. */
  isOther(table: TableId, described: string): boolean {
    const key = tableKey(table);
    const before = this.#described.get(key);
    this.#described.set(key, described);
    return before !== undefined && before !== described;
  }
}
