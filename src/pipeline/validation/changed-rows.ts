import { type ChangeBatch, isReferring, NULL_CELL, OP_WIDTH, Op } from "../../core/change-batch.ts";
import { type TableId, tableKey } from "../../core/schema.ts";
import { silentKeysOf } from "../../core/silent-keys.ts";
import { ApplyMode } from "../../core/target.ts";

/** What the keys that wait may come to: of one table, and of all, those that are taken out and still looked at included. */
const MOST_KEYS = 100_000;
const MOST_BYTES = 8 << 20;
const MOST_BYTES_OF_ALL = 32 << 20;
const MOST_RECHECKED = 10_000;
/** Beside the characters of a key. */
const BYTES_OF_ENTRY = 60;

/** What has become of a table's rows since this was last asked. */
export interface ChangedTable {
  /** Of rows that changes have concerned: JSON of a key's values in its order. */
  readonly keys: readonly string[];
  /** Rows have changed that are not among them: too many, or without a key. */
  readonly others: boolean;
  readonly emptied: boolean;
  /** What the keys count for until they are given back: see release(). */
  readonly bytes: number;
}

/** Gathers which rows of tables changes concern, in bounded memory. */
export class ChangedRows {
  readonly #tables = new Map<string, FollowedTable>();
  #bytes = 0;

  /** From now on changes of the table are noted. `key`: into its columns; undefined where rows have none. */
  follow(table: TableId, key: readonly number[] | undefined): void {
    this.forget(table);
    this.#tables.set(tableKey(table), new FollowedTable(table, key));
  }

  /** What was gathered of it is of no use. */
  forget(table: TableId): void {
    const known = this.#tables.get(tableKey(table));
    if (known !== undefined) this.#bytes -= known.bytes;
    this.#tables.delete(tableKey(table));
  }

  isFollowed(table: TableId): boolean {
    return this.#tables.has(tableKey(table));
  }

  /** How many rows wait. */
  pending(table: TableId): number {
    return this.#tables.get(tableKey(table))?.keys.size ?? 0;
  }

  /** Whether anything is known to have changed that was not taken out. */
  hasMore(table: TableId): boolean {
    return this.#tables.get(tableKey(table))?.hasMore === true;
  }

  /** When a change of the table came last (performance.now()); undefined for never. */
  lastMs(table: TableId): number | undefined {
    return this.#tables.get(tableKey(table))?.lastMs;
  }

  /** Takes out what is known of a table, so many keys at most. */
  take(table: TableId, most: number): ChangedTable {
    const followed = this.#tables.get(tableKey(table));
    return followed?.take(most) ?? { keys: [], others: false, emptied: false, bytes: 0 };
  }

  /** Nobody holds the keys any more that were taken out. */
  release({ bytes }: Pick<ChangedTable, "bytes">): void {
    this.#bytes -= bytes;
  }

  /** Notes keys that are still, or again, to be looked at. */
  putBack(table: TableId, keys: Iterable<string>): void {
    const followed = this.#tables.get(tableKey(table));
    if (followed === undefined) return;
    const before = followed.bytes;
    for (const key of keys) followed.add(key);
    this.#bytes += followed.bytes - before;
    this.#makeRoom();
  }

  /** Notes keys that are to be looked at once more where there is room: what they are is known without that. */
  recheck(table: TableId, key: string): void {
    const followed = this.#tables.get(tableKey(table));
    if (followed !== undefined && followed.keys.size < MOST_RECHECKED) this.putBack(table, [key]);
  }

  /** Notes the rows that a batch changes; returns with the tables of which it changes some. */
  add(batch: ChangeBatch, modes: Uint8Array | undefined): readonly TableId[] {
    if (this.#tables.size === 0) return [];
    const { tables, transactions, ops } = batch;
    const followed = tables.map(({ id }) => this.#tables.get(tableKey(id)));
    if (followed.every((table) => table === undefined)) return [];
    const befores = followed.map((table) => table?.bytes ?? 0);
    const touched = new Set<FollowedTable>();
    const cells = new BatchCells(batch);
    for (let t = 0; t < transactions.length; t++) {
      const { start, end } = transactions[t]!;
      for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
        const index = ops[at + 1]!;
        if (isReferring(ops[at]!)) {
          for (const other of silentKeysOf(tables).family(index)) followed[other]?.addUnknown(touched);
        }
        const table = followed[index];
        if (table === undefined) continue;
        if (modes !== undefined && modes[t * tables.length + index] === ApplyMode.skip) continue;
        table.change(ops, at, cells);
        touched.add(table);
      }
    }
    if (touched.size === 0) return [];
    const nowMs = performance.now();
    for (const [i, table] of followed.entries()) {
      if (table === undefined || !touched.has(table)) continue;
      table.lastMs = nowMs;
      this.#bytes += table.bytes - befores[i]!;
    }
    this.#makeRoom();
    return Array.from(touched, ({ id }) => id);
  }

  /** When all is too much, the table goes that makes the most room: the others are still looked at by their keys. */
  #makeRoom(): void {
    while (this.#bytes > MOST_BYTES_OF_ALL) {
      let largest: FollowedTable | undefined;
      for (const one of this.#tables.values()) if (one.bytes > (largest?.bytes ?? 0)) largest = one;
      // The rest is being looked at.
      if (largest === undefined) return;
      this.#bytes -= largest.bytes;
      largest.drop();
    }
  }
}

/** Texts of a batch's cells. */
class BatchCells {
  readonly #batch: ChangeBatch;
  readonly #bytes: Buffer;

  constructor(batch: ChangeBatch) {
    const { buffer, byteOffset, byteLength } = batch.bytes;
    this.#batch = batch;
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** Undefined for NULL and for what was not sent. */
  text(row: number, ordinal: number): string | undefined {
    const { cells } = this.#batch;
    const start = cells[row + 2 * ordinal]!;
    return start <= NULL_CELL ? undefined : this.#bytes.toString("utf8", start, cells[row + 2 * ordinal + 1]);
  }

  /** Whether two rows have the same values there; a value that was not sent is the same. */
  areSame(a: number, b: number, ordinals: readonly number[]): boolean {
    const { cells } = this.#batch;
    for (const ordinal of ordinals) {
      const left = cells[a + 2 * ordinal]!;
      const right = cells[b + 2 * ordinal]!;
      if (left <= NULL_CELL || right <= NULL_CELL) continue;
      const leftEnd = cells[a + 2 * ordinal + 1]!;
      const rightEnd = cells[b + 2 * ordinal + 1]!;
      if (this.#bytes.compare(this.#bytes, left, leftEnd, right, rightEnd) !== 0) return false;
    }
    return true;
  }
}

class FollowedTable {
  readonly id: TableId;
  readonly #key: readonly number[] | undefined;
  keys = new Set<string>();
  bytes = 0;
  lastMs: number | undefined;
  #others = false;
  #emptied = false;

  constructor(id: TableId, key: readonly number[] | undefined) {
    this.id = id;
    this.#key = key;
  }

  get hasMore(): boolean {
    return this.#others || this.keys.size > 0;
  }

  /** Keys that wait are of no use any more. */
  drop(): void {
    this.keys = new Set();
    this.bytes = 0;
    this.#others = true;
  }

  addUnknown(touched: Set<FollowedTable>): void {
    this.drop();
    touched.add(this);
  }

  change(ops: Int32Array, at: number, cells: BatchCells): void {
    const op = ops[at]!;
    this.#emptied ||= op === Op.truncate;
    // All of it is to be looked at, whatever comes.
    if (this.#others) return;
    const isOfRow = op !== Op.truncate && !isReferring(op);
    const isTold = this.#key !== undefined && isOfRow;
    if (!isTold || !this.#addRows(this.#key, cells, { before: ops[at + 2]!, after: ops[at + 3]! }))
      this.drop();
  }

  add(key: string): void {
    if (this.#others || this.keys.has(key)) return;
    this.keys.add(key);
    this.bytes += 2 * key.length + BYTES_OF_ENTRY;
    if (this.keys.size > MOST_KEYS || this.bytes > MOST_BYTES) this.drop();
  }

  take(most: number): ChangedTable {
    const before = this.bytes;
    const keys: string[] = [];
    for (const key of this.keys) {
      if (keys.length === most) break;
      keys.push(key);
      this.keys.delete(key);
      this.bytes -= 2 * key.length + BYTES_OF_ENTRY;
    }
    const [others, emptied] = [this.#others, this.#emptied];
    this.#others = false;
    this.#emptied = false;
    return { keys, others, emptied, bytes: before - this.bytes };
  }

  /** False where it cannot be told which rows the change is of. */
  #addRows(key: readonly number[], cells: BatchCells, { before, after }: ChangedRow): boolean {
    if (after >= 0 && !this.#addRow(key, cells, { row: after, other: before })) return false;
    // Most updates leave the key as it is.
    if (before < 0 || (after >= 0 && cells.areSame(before, after, key))) return true;
    return this.#addRow(key, cells, { row: before, other: after });
  }

  /** A value that was not sent is what it is in the other row. */
  #addRow(key: readonly number[], cells: BatchCells, { row, other }: RowOfTwo): boolean {
    const texts: string[] = [];
    for (const ordinal of key) {
      const text = cells.text(row, ordinal) ?? (other < 0 ? undefined : cells.text(other, ordinal));
      if (text === undefined) return false;
      texts.push(text);
    }
    this.add(JSON.stringify(texts));
    return true;
  }
}

/** Where a row's cells begin as it was, and as it is; -1 for none. */
interface ChangedRow {
  readonly before: number;
  readonly after: number;
}

/** One of them, and the other. */
interface RowOfTwo {
  readonly row: number;
  readonly other: number;
}
