import type { Position } from "../../core/position.ts";

/** Makes all commits durable that have been made; the server does it at once and for every session. */
export const FLUSH_SQL = "flush no_write_to_binlog engine logs";

/** How often that is done while commits wait for it: each time the disk is waited for. */
const FLUSH_INTERVAL_MS = 1_000;

/**
 * Follows which commits of the target are on its disk. Where the server waits for the disk at each commit they all
 * are. Where it is set not to, it is made to write its log now and then: a crash in between takes back rows and
 * position together, and the source still has the changes, because it is told only what is durable.
 */
export class FlushDurability {
  /** Whether commits wait for the disk. */
  readonly waits: boolean;
  #newest: Position | undefined;
  #flushedAt = -Infinity;

  constructor(waits: boolean) {
    this.waits = waits;
  }

  /** The last commit when it is not known to be durable. */
  get newest(): Position | undefined {
    return this.#newest;
  }

  committed(position: Position): void {
    this.#newest = position;
  }

  /** Until the log should be written; undefined when nothing waits for it. */
  get dueInMs(): number | undefined {
    if (this.#newest === undefined) return undefined;
    return Math.max(1, this.#flushedAt + FLUSH_INTERVAL_MS - performance.now());
  }

  get isDue(): boolean {
    return this.#newest !== undefined && performance.now() - this.#flushedAt >= FLUSH_INTERVAL_MS;
  }

  /** The log has been written; returns up to where commits are durable that were not before. */
  flushed(): Position | undefined {
    const durable = this.#newest;
    this.#newest = undefined;
    this.#flushedAt = performance.now();
    return durable;
  }
}
