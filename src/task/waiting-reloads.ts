import { type TableId, tableKey } from "../core/schema.ts";
import type { ChangeListener } from "./steering.ts";

/** Tables that somebody asked to have loaded again, until an attempt or its changes take them up. */
export class WaitingReloads {
  readonly #tables = new Map<string, TableId>();
  /** Keys of tables that a reload has to plan anew: they leave columns of the source out, or were just found changed. */
  #toReplan: ReadonlySet<string> = new Set();

  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  has(table: TableId): boolean {
    return this.#tables.has(tableKey(table));
  }

  add(tables: readonly TableId[]): void {
    for (const table of tables) this.#tables.set(tableKey(table), table);
  }

  remove(table: TableId): void {
    this.#tables.delete(tableKey(table));
  }

  /** An attempt was planned; by key the tables for whose reload that plan does not serve. */
  planned(toReplan: ReadonlySet<string>): void {
    this.#toReplan = toReplan;
  }

  hasToReplan(table: TableId): boolean {
    return this.#toReplan.has(tableKey(table));
  }

  /** The changes are at work: they load the tables beside them, or end for a new plan. */
  handTo(changes: ChangeListener): void {
    if (this.isEmpty) return;
    const tables = [...this.#tables.values()];
    if (tables.some((table) => this.hasToReplan(table))) {
      changes.replan();
      return;
    }
    this.#tables.clear();
    changes.reload(tables);
  }
}
