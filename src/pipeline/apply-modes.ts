import { type ChangeBatch, type ChangeTransaction, isReferring, OP_WIDTH, Op } from "../core/change-batch.ts";
import { MigrationError } from "../core/error.ts";
import type { Position, PositionCodec } from "../core/position.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import { silentKeysOf } from "../core/silent-keys.ts";
import { type AppliedCounts, ApplyMode } from "../core/target.ts";

/** Between which positions a table's rows were read; equal when one snapshot gave them all. */
export interface SnapshotWindow {
  readonly oldest: Position;
  readonly newest: Position;
}

/** A table that is being loaded again while changes of others go on. */
export interface LoadGate {
  /** Resolves when the table's new snapshot, and so its window, is known. */
  readonly positioned: Promise<void>;
  /** Resolves when its rows are in. */
  readonly loaded: Promise<void>;
}

/**
 * What to do with a table's changes, from where its rows were read and whether it is set aside:
 *
 *     commit at or before the oldest snapshot   all rows show it already   skip
 *     after the oldest, up to the newest        some rows show it          converge
 *     after the newest                          no row shows it            exact
 *
 * A table without a window (cdc tasks) has every change applied exactly. What is exact by this converges where the batch
 * says so (ChangeBatch.converging).
 */
export class TableRules {
  readonly #codec: PositionCodec;
  readonly #windows = new Map<string, SnapshotWindow>();
  readonly #gates = new Map<string, LoadGate>();
  readonly #isSuspended: (table: TableId) => boolean;
  /** The newest of all windows; after it every change of every table is applied exactly. */
  #newest: Position | undefined;
  /** The stream has come beyond it; the stream does not go back. */
  #isPast = false;

  constructor(codec: PositionCodec, isSuspended: (table: TableId) => boolean) {
    this.#codec = codec;
    this.#isSuspended = isSuspended;
  }

  isSuspended(table: TableId): boolean {
    return this.#isSuspended(table);
  }

  get newest(): Position | undefined {
    return this.#newest;
  }

  /** The table's changes wait: all until the gate is positioned, later ones than the snapshot until it is loaded. */
  hold(table: TableId, gate: LoadGate): void {
    this.#gates.set(tableKey(table), gate);
  }

  release(table: TableId): void {
    this.#gates.delete(tableKey(table));
  }

  /** Whether any table's changes wait. */
  get holds(): boolean {
    return this.#gates.size > 0;
  }

  gateOf(table: TableId): LoadGate | undefined {
    return this.#gates.size === 0 ? undefined : this.#gates.get(tableKey(table));
  }

  setWindow(table: TableId, window: SnapshotWindow): void {
    this.#windows.set(tableKey(table), window);
    if (this.#newest === undefined || this.reaches(window.newest, this.#newest)) this.#newest = window.newest;
    this.#isPast = false;
  }

  /** Whether `position` is at or after `goal`. */
  reaches(position: Position, goal: Position): boolean {
    const order = this.#codec.compare(position, goal);
    if (order === undefined) {
      throw new MigrationError("position.malformed", {
        message: `The positions ${position.text} and ${goal.text} are not of one log.`,
      });
    }
    return order >= 0;
  }

  mode(table: TableSchema, position: Position): ApplyMode {
    if (this.#isSuspended(table.id)) return ApplyMode.skip;
    const window = this.#windows.get(tableKey(table.id));
    if (window === undefined) return ApplyMode.exact;
    if (this.reaches(window.oldest, position)) return ApplyMode.skip;
    if (this.reaches(window.newest, position)) return ApplyMode.converge;
    return ApplyMode.exact;
  }

  /** One mode for each transaction and table of a batch; undefined when all are exact. */
  modes(batch: ChangeBatch): Uint8Array | undefined {
    const { tables, transactions } = batch;
    const { converging = [] } = batch;
    const isPast = this.#passes(transactions[0]?.position);
    if (isPast && converging.length === 0 && !tables.some(({ id }) => this.#isSuspended(id)))
      return undefined;
    const modes = new Uint8Array(transactions.length * tables.length).fill(ApplyMode.exact);
    let allExact = true;
    for (let i = 0; i < tables.length; i++) {
      const table = tables[i]!;
      if (isPast && !this.#isSuspended(table.id)) continue;
      for (let t = 0; t < transactions.length; t++) {
        const mode = this.mode(table, transactions[t]!.position);
        modes[t * tables.length + i] = mode;
        if (mode !== ApplyMode.exact) allExact = false;
      }
    }
    for (const { transaction, table } of converging) {
      // What lies beyond a goal was cut off.
      const at = transaction * tables.length + table;
      if (modes[at] !== ApplyMode.exact) continue;
      modes[at] = ApplyMode.converge;
      allExact = false;
    }
    return allExact ? undefined : modes;
  }

  /** Whether a position and all that come after it lie beyond every table's snapshots. */
  #passes(position: Position | undefined): boolean {
    if (this.#newest === undefined || position === undefined) return true;
    this.#isPast ||= !this.reaches(this.#newest, position);
    return this.#isPast;
  }
}

/**
 * Tables, as indexes into the batch's, that the batch changes in a way that is not skipped; with those whose rows a
 * foreign key may change because rows of these are changed by one.
 */
export function appliedTables(batch: ChangeBatch, modes: Uint8Array | undefined): ReadonlySet<number> {
  const { ops, transactions, tables, misfits = [] } = batch;
  const found = new Set<number>();
  const isSkipped = (transaction: number, table: number): boolean =>
    modes !== undefined && modes[transaction * tables.length + table] === ApplyMode.skip;
  for (let t = 0; t < transactions.length; t++) {
    const { start, end } = transactions[t]!;
    for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      const table = ops[at + 1]!;
      if (!isSkipped(t, table)) found.add(table);
      if (!isReferring(ops[at]!)) continue;
      for (const other of silentKeysOf(tables).family(table)) if (!isSkipped(t, other)) found.add(other);
    }
  }
  for (const { transaction, table } of misfits) if (!isSkipped(transaction, table)) found.add(table);
  return found;
}

/** The error of the first change that does not fit its table and is not skipped. */
export function misfitOf(batch: ChangeBatch, modes: Uint8Array | undefined): MigrationError | undefined {
  const { tables, transactions, misfits = [] } = batch;
  return misfits.find(
    ({ transaction, table }) =>
      transaction < transactions.length &&
      (modes === undefined || modes[transaction * tables.length + table] !== ApplyMode.skip),
  )?.error;
}

/** Changes of a batch per table key from one of its ops on, skipped ones left out; only tables that it changes. */
export function countChanges(
  batch: ChangeBatch,
  modes: Uint8Array | undefined,
  first = 0,
): ReadonlyMap<string, AppliedCounts> {
  const { ops, transactions, tables } = batch;
  const perTable: (AppliedCounts | undefined)[] = [];
  for (let t = 0; t < transactions.length; t++) {
    const { start, end } = transactions[t]!;
    for (let at = Math.max(start, first) * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      const table = ops[at + 1]!;
      if (modes !== undefined && modes[t * tables.length + table] === ApplyMode.skip) continue;
      let counts = perTable[table];
      if (counts === undefined) {
        counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0, conflicts: 0, refused: 0, logged: 0 };
        perTable[table] = counts;
      }
      switch (ops[at]) {
        case Op.insert:
          counts.inserts++;
          break;
        case Op.update:
          counts.updates++;
          break;
        case Op.delete:
          counts.deletes++;
          break;
        case Op.truncate:
          counts.truncates++;
          break;
      }
    }
  }
  const counted = new Map<string, AppliedCounts>();
  perTable.forEach((counts, index) => {
    if (counts !== undefined) counted.set(tableKey(tables[index]!.id), counts);
  });
  return counted;
}

/** Values that were cut off in changes of a batch, skipped ones and transactions before one of its ops left out. */
export function countCuts(
  { cuts = [], tables, transactions }: ChangeBatch,
  modes: Uint8Array | undefined,
  first = 0,
): readonly { readonly table: TableId; readonly count: number }[] {
  return cuts
    .filter(
      ({ transaction, table }) =>
        transaction < transactions.length &&
        transactions[transaction]!.end > first &&
        modes?.[transaction * tables.length + table] !== ApplyMode.skip,
    )
    .map(({ table, count }) => ({ table: tables[table]!.id, count }));
}

/** The part of a batch before the first transaction for which `isBeyond` holds; undefined when all of it. */
export function cutBatch(
  batch: ChangeBatch,
  isBeyond: (transaction: ChangeTransaction) => boolean,
): ChangeBatch | undefined {
  const index = batch.transactions.findIndex(isBeyond);
  return index < 0 ? undefined : { ...batch, transactions: batch.transactions.slice(0, index) };
}

/** The part of a batch from a transaction on. */
export function restOfBatch(batch: ChangeBatch, from: number): ChangeBatch {
  const left = <T extends { readonly transaction: number }>(all: readonly T[] = []): readonly T[] =>
    all.flatMap((one) => (one.transaction < from ? [] : [{ ...one, transaction: one.transaction - from }]));
  return {
    ...batch,
    transactions: batch.transactions.slice(from),
    misfits: left(batch.misfits),
    cuts: left(batch.cuts),
    converging: left(batch.converging),
    noted: left(batch.noted),
  };
}
