import { tableKey } from "../core/schema.ts";
import { type KnownTable, loadedShare } from "./table-progress.ts";
import type { TableProgress } from "./task.ts";

/** When a task's full load began and ended, and how much of it is done. */
export class LoadMeter {
  /** By table. */
  readonly #bytes = new Map<string, number>();
  #startMs: number | undefined;
  /** The same moment by the clock that nobody sets. */
  #began: number | undefined;
  #endMs: number | undefined;

  get startMs(): number | undefined {
    return this.#startMs;
  }

  get endMs(): number | undefined {
    return this.#endMs;
  }

  weigh({ id, estimatedBytes }: KnownTable): void {
    this.#bytes.set(tableKey(id), Math.max(1, estimatedBytes));
  }

  /** It begins at that time of day, or has begun before. */
  begins(nowMs: number): void {
    this.#startMs ??= nowMs;
    this.#began ??= performance.now();
  }

  /** It ends at that time of day, or has ended before. */
  ends(nowMs: number): void {
    this.#endMs ??= nowMs;
  }

  /** Share of the full load that is done, 0 to 1, tables weighed by their size. */
  share(tables: readonly TableProgress[]): number {
    if (this.#endMs !== undefined) return 1;
    let total = 0;
    let done = 0;
    for (const table of tables) {
      const weight = this.#bytes.get(tableKey(table.id)) ?? 1;
      total += weight;
      done += weight * loadedShare(table);
    }
    return total === 0 ? 0 : done / total;
  }

  /** undefined while unknown. */
  secondsLeft(share: number): number | undefined {
    if (this.#began === undefined || this.#endMs !== undefined || share < 0.01) return undefined;
    const seconds = (performance.now() - this.#began) / 1000;
    return (seconds / share) * (1 - share);
  }
}
