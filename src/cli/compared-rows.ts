import { type TableId, tableKey } from "../core/schema.ts";

interface TableRows {
  /** Undefined where nobody knows. */
  estimated: number | undefined;
  read: number;
  isDone: boolean;
}

/** How many rows a validation has read of both sides, and how many are still to come. */
export class ComparedRows {
  readonly #tables = new Map<string, TableRows>();
  #startedMs = performance.now();
  #read = 0;
  /** Those that were read before this process began. */
  #before = 0;

  planned(tables: readonly { readonly table: TableId; readonly estimatedRows: number | undefined }[]): void {
    this.#startedMs = performance.now();
    for (const { table, estimatedRows } of tables)
      this.#tables.set(tableKey(table), { estimated: estimatedRows, read: 0, isDone: false });
  }

  add(table: TableId, rows: number): void {
    this.#read += rows;
    const of = this.#tables.get(tableKey(table));
    if (of !== undefined) of.read += rows;
  }

  /** The table's comparison was over before this process began. */
  addBefore(table: TableId, rows: number): void {
    this.#before += rows;
    this.add(table, rows);
    this.end(table);
  }

  end(table: TableId): void {
    const of = this.#tables.get(tableKey(table));
    if (of !== undefined) of.isDone = true;
  }

  /** As many rows as it has had are read once more. */
  again(table: TableId): void {
    const of = this.#tables.get(tableKey(table));
    if (of === undefined) return;
    of.estimated = 2 * of.read;
    of.isDone = false;
  }

  get read(): number {
    return this.#read;
  }

  /** Of all tables: what those have had that are done, and what is expected of others. Undefined while one has no estimate. */
  get estimated(): number | undefined {
    let total = 0;
    for (const { estimated, read, isDone } of this.#tables.values()) {
      if (isDone) total += read;
      else if (estimated === undefined) return undefined;
      else total += Math.max(estimated, read);
    }
    return total;
  }

  /** Since this process began to read; undefined in its first second. */
  perSecond(nowMs: number): number | undefined {
    const seconds = (nowMs - this.#startedMs) / 1000;
    const read = this.#read - this.#before;
    return seconds < 1 || read === 0 ? undefined : read / seconds;
  }
}
