import type { TableId } from "../core/schema.ts";
import type { ChangedRows } from "../pipeline/validation/changed-rows.ts";
import type { BookedTable } from "./booked-table.ts";

/** All that was known to be compared when this was made: whole tables, and rows that had changed. */
export class ValidationGoal {
  readonly #tables: ReadonlyMap<string, BookedTable>;
  readonly #changed: ChangedRows;
  /** The last whole comparison that had begun of each by then: one after it has seen all that there was. */
  readonly #whole = new Map<string, number>();
  /** How many rows have been taken out when they are among them. */
  readonly #rows = new Map<string, number>();

  /** `tables`: those of the book, which may become others. `wholesOf`: it is about the whole comparisons of these alone. */
  constructor(
    tables: ReadonlyMap<string, BookedTable>,
    changed: ChangedRows,
    { wholesOf }: { readonly wholesOf?: ReadonlySet<string> } = {},
  ) {
    this.#tables = tables;
    this.#changed = changed;
    for (const [key, { due, plan, taken, begun }] of tables) {
      if (due !== undefined && wholesOf?.has(key) !== false) this.#whole.set(key, begun);
      if (wholesOf !== undefined) continue;
      const pending = changed.pending(plan.source.id);
      if (taken + pending > 0) this.#rows.set(key, taken + pending);
    }
  }

  /** `isAside`: tables that are set aside are not compared. */
  isReached(isAside: (table: TableId) => boolean): boolean {
    for (const [key, begun] of this.#whole) {
      const table = this.#tables.get(key);
      if (table?.due === undefined || table.ended > begun || isAside(table.plan.source.id))
        this.#whole.delete(key);
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
