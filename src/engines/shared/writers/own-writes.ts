import { type TableId, tableKey } from "../../../core/schema.ts";

/** A longer transaction may keep a server from counting what its session has written before it. */
const LONG_MS = 1_000;
/** A server counts what a session has written at most so long after it, unless a long transaction follows. */
const COUNTED_MS = 15_000;

/** Tables in any case of letters: two tasks may write one name in two ways. */
function keyOf(id: TableId): string {
  return tableKey(id).toLowerCase();
}

/** Something that writes to tables of a target, until it is disposed. */
export interface OwnWrite extends Disposable {
  add(table: TableId): void;
}

interface UnderWay {
  readonly beganMs: number;
  readonly tables: Set<string>;
  readonly writesAny: boolean;
}

/**
 * When this program has written to which tables of its targets, so that what a server has counted meanwhile is nobody
 * else's. Tables of several servers that have one name are taken for one, because one server may be known by several addresses.
 */
export class OwnWrites {
  readonly #underWay = new Set<UnderWay>();
  readonly #lastMs = new Map<string, number>();
  #lastOfAnyMs = -Infinity;

  /** `tables`: those that are written for certain; "any" where nobody can tell. */
  begin(tables: readonly TableId[] | "any"): OwnWrite {
    const writesAny = tables === "any";
    const known = new Set(writesAny ? [] : tables.map(keyOf));
    const write = { beganMs: performance.now(), tables: known, writesAny };
    this.#underWay.add(write);
    return {
      add: (table) => known.add(keyOf(table)),
      [Symbol.dispose]: () => this.#end(write),
    };
  }

  /** While `work` is at work it may write to any table. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    using _any = this.begin("any");
    return await work();
  }

  /** When a table may have been written to last, by performance.now(); Infinity while it is, -Infinity for never. */
  lastMs(table: TableId): number {
    const key = keyOf(table);
    const last = Math.max(this.#lastMs.get(key) ?? -Infinity, this.#lastOfAnyMs);
    for (const { writesAny, tables, beganMs } of this.#underWay) {
      if (writesAny || tables.has(key) || last > beganMs - COUNTED_MS) return Infinity;
    }
    return last;
  }

  /** When any table may have been written to last. */
  lastOfAllMs(): number {
    return this.#underWay.size > 0 ? Infinity : Math.max(this.#lastOfAnyMs, ...this.#lastMs.values());
  }

  #end(write: UnderWay): void {
    if (!this.#underWay.delete(write)) return;
    const nowMs = performance.now();
    const { beganMs, tables, writesAny } = write;
    for (const key of tables) this.#lastMs.set(key, nowMs);
    if (writesAny) this.#lastOfAnyMs = nowMs;
    if (nowMs - beganMs < LONG_MS) return;
    // What was written shortly before may have been counted only now.
    const fromMs = beganMs - COUNTED_MS;
    for (const [key, lastMs] of this.#lastMs) if (lastMs > fromMs) this.#lastMs.set(key, nowMs);
    if (this.#lastOfAnyMs > fromMs) this.#lastOfAnyMs = nowMs;
  }
}

/** This program's own: all of its tasks, and whatever else it does. */
export const ownWrites = new OwnWrites();
