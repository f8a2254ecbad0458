import { asMigrationError, MigrationError } from "../core/error.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { RetriedTable, RetryProgress, RetryWish } from "./task.ts";
import type { RecordedTable } from "./wish-records.ts";

/**
 * The last wish to bring rows that are recorded, and what has become of it. It outlives attempts: one that ends midway leaves the
 * wish to the next, which finds on the target what is still recorded.
 */
export class RetryBook {
  #wish: RetryWish | undefined;
  #state: RetryProgress["state"] = "waiting";
  #error: RetryProgress["error"];
  readonly #tables = new Map<string, RetriedTable>();

  /** The wish that is to be fulfilled; undefined when there is none. */
  get wanted(): RetryWish | undefined {
    return this.#state === "waiting" || this.#state === "running" ? this.#wish : undefined;
  }

  /** What is told of it; undefined before the first wish. */
  get progress(): RetryProgress | undefined {
    if (this.#wish === undefined) return undefined;
    const { number } = this.#wish;
    return { number, state: this.#state, error: this.#error, tables: [...this.#tables.values()] };
  }

  /** The same wish may be told twice. Throws `usage.invalid` for another one while one is open. */
  ask(wish: RetryWish): void {
    if (this.#wish !== undefined && this.#wish.number >= wish.number) return;
    if (this.wanted !== undefined) {
      throw new MigrationError("usage.invalid", {
        message: "Recorded rows of the task are being brought already.",
        remedy: "Wait until that is done.",
      });
    }
    this.#wish = wish;
    this.#state = "waiting";
    this.#error = undefined;
    this.#tables.clear();
  }

  /** What is recorded of a table as it begins. What an earlier attempt has settled stays told. */
  begins(id: TableId, { records, kinds }: Pick<RecordedTable, "records" | "kinds">): void {
    this.#state = "running";
    const settled = this.#tables.get(tableKey(id))?.settled ?? 0;
    this.#tables.set(tableKey(id), {
      ...{ id, recorded: records + settled, settled, left: records },
      ...{ untried: 0, reason: undefined, codes: {} },
      ...(kinds === undefined ? {} : { kinds: Object.fromEntries(kinds) }),
    });
  }

  settled(id: TableId, records: number): void {
    const { settled, left } = this.#tables.get(tableKey(id))!;
    this.#change(id, { settled: settled + records, left: left - records });
  }

  untried(id: TableId, { records, reason }: { readonly records: number; readonly reason: string }): void {
    this.#change(id, { untried: records, reason });
  }

  /** All that is left of a table is tried once more: what could not be tried before may be by now. */
  triesAll(id: TableId): void {
    this.#change(id, { untried: 0, reason: undefined });
  }

  leftOf(id: TableId): number {
    return this.#tables.get(tableKey(id))!.left;
  }

  /** What is left of a table after all was tried. */
  left(id: TableId, { records: left, codes }: Left): void {
    const { untried, reason } = this.#tables.get(tableKey(id))!;
    // A table that was loaded again meanwhile has lost its records.
    const still = { untried: Math.min(untried, left), reason: left === 0 ? undefined : reason };
    this.#change(id, { left, codes: Object.fromEntries(codes), ...still });
  }

  done(): void {
    this.#state = "done";
  }

  failed(error: unknown): void {
    this.#state = "failed";
    this.#error = asMigrationError(error).toJSON();
  }

  #change(id: TableId, change: Partial<RetriedTable>): void {
    const key = tableKey(id);
    this.#tables.set(key, { ...this.#tables.get(key)!, ...change });
  }
}

/** What is recorded of a table after it was tried, and of which errors. */
interface Left {
  readonly records: number;
  readonly codes: ReadonlyMap<string, number>;
}

/** How many records there are of all codes. */
export function sumOf(codes: ReadonlyMap<string, number>): number {
  return [...codes.values()].reduce((sum, count) => sum + count, 0);
}
