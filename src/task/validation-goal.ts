import type { TableId } from "../core/schema.ts";
import type { ChangedRows } from "../pipeline/validation/changed-rows.ts";
import type { BookedTable } from "./booked-table.ts";

/** All that was known to be compared when this was made: whole tables, and rows that had changed. */
export class ValidationGoal {
  readonly #tables: ReadonlyMap<string, BookedTable>;
  readonly #changed: ChangedRows;
  readonly #whole = new Set<string>();
  /** How many rows have been taken out when they are among them. */
  readonly #rows = new Map<string, number>();

  /** `tables`: those of the book, which may become others. */
  constructor(tables: ReadonlyMap<string, BookedTable>, changed: ChangedRows) {
    this.#tables = tables;
    this.#changed = changed;
    for (const [key, { due, plan, taken }] of tables) {
      if (due !== undefined) this.#whole.add(key);
      const pending = changed.pending(plan.source.id);
      if (taken + pending > 0) this.#rows.set(key, taken + pending);
    }
  }

  /** `isAside`: tables that are set aside are not compared. */
  isReached(isAside: (table: TableId) => boolean): boolean {
    for (const key of this.#whole) {
      const table = this.#tables.get(key);
      if (table?.due === undefined || isAside(table.plan.source.id)) this.#whole.delete(key);
    }
    for (const [key, wanted] of this.#rows) {
      const table = this.#tables.get(key);
      const isIdle =
        table === undefined ||
        isAside(table.plan.source.id) ||
        (table.underWay === 0 && !this.#changed.hasMore(table.plan.source.id));
      if (isIdle || table.done >= wanted) this.#rows.delete(key);
    }
    return this.#whole.size + this.#rows.size === 0;
  }
}
