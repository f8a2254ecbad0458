import { MigrationError } from "../core/error.ts";
import { type TableId, tableKey } from "../core/schema.ts";

/** A table that the source rewrites so often while it is read is set aside. */
const PATIENCE = 10;

/**
 * Counts how often tables are read again, because the source emptied or rewrote them meanwhile. It is all that
 * is kept of that across attempts: what was not read is not recorded as done, and the next attempt reads it
 * from a new snapshot. But a table that never holds still must not keep the others waiting for ever.
 */
export class Rereads {
  readonly #patience: number;
  readonly #times = new Map<string, number>();

  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  /** False when the table has had its chances. */
  grant(table: TableId): boolean {
    const times = (this.#times.get(tableKey(table)) ?? 0) + 1;
    this.#times.set(tableKey(table), times);
    return times <= this.#patience;
  }

  /** The table has all its chances again. */
  forget(table: TableId): void {
    this.#times.delete(tableKey(table));
  }
}

/** Whether a snapshot does not show a table's rows any more. */
export function isRewritten(error: unknown): boolean {
  return error instanceof MigrationError && error.code === "source.table_rewritten";
}
