import { type TableId, tableKey } from "../core/schema.ts";
import type { TaskStatistics } from "./statistics.ts";
import type { ReloadWish } from "./task.ts";

/**
 * Wishes to compare tables anew. It outlives attempts: a wish waits until the journal has it that the table's validation
 * begins anew, so that none is lost with an attempt or a worker.
 */
export class RevalidationBook {
  readonly #statistics: Pick<TaskStatistics, "revalidationAnswered">;
  readonly #wishes = new Map<string, ReloadWish>();

  constructor(statistics: Pick<TaskStatistics, "revalidationAnswered">) {
    this.#statistics = statistics;
  }

  /** Tables that are to be compared anew and are not yet noted as such. */
  get wanted(): readonly TableId[] {
    return [...this.#wishes.values()].map(({ schema, name }) => ({ schema, name }));
  }

  ask(wish: ReloadWish): void {
    this.#wishes.set(tableKey(wish), wish);
  }

  /** Whatever the journal had of the table's validation is gone: a new one begins. */
  answered(id: TableId): void {
    const wish = this.#wishes.get(tableKey(id));
    if (wish === undefined) return;
    this.#wishes.delete(tableKey(id));
    this.#statistics.revalidationAnswered(id, wish.number);
  }
}
