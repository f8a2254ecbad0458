import type { Position } from "../../core/position.ts";
import type { QueryAnswer } from "./apply-session.ts";
import { lsnCodec } from "./lsn.ts";

/** How often the target is asked how far its log is on disk while commits wait for it. */
const ASK_INTERVAL_MS = 50;

/** Answers with the end of the target's log, and how far of it is on disk. */
export const LOG_STATE_SQL =
  "select pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_wal_flush_lsn()";

/**
 * Follows which commits of the target are on its disk. The server is not made to wait for the disk at
 * each of them (synchronous_commit off): it writes its log a moment later, in order. A commit is durable
 * once the log is on disk up to where it ended after that commit. A crash of the target in between takes
 * back rows and position together, and the source still has the changes: it is told only what is durable.
 */
export class ApplyDurability {
  /** The last commit, until it is durable. */
  #newest: Position | undefined;
  /** Commits up to `position` are durable when the log is on disk up to `end`. */
  #watched: { readonly position: Position; readonly end: Position } | undefined;
  #askedAt = -Infinity;

  /** The last commit when it is not known to be durable. */
  get newest(): Position | undefined {
    return this.#newest;
  }

  committed(position: Position): void {
    this.#newest = position;
  }

  /** Whether the target should be asked now. */
  get isDue(): boolean {
    return this.#newest !== undefined && performance.now() - this.#askedAt >= ASK_INTERVAL_MS;
  }

  /** Until isDue may be true; undefined when nothing waits. */
  get dueInMs(): number | undefined {
    return this.#newest === undefined
      ? undefined
      : Math.max(1, this.#askedAt + ASK_INTERVAL_MS - performance.now());
  }

  /** Takes an answer to LOG_STATE_SQL; returns up to where commits are durable that were not before. */
  told({ row }: QueryAnswer): Position | undefined {
    this.#askedAt = performance.now();
    const end = lsnCodec.parse(row![0]!);
    const onDisk = lsnCodec.parse(row![1]!);
    const watched = this.#watched;
    const isReached = (goal: Position): boolean => lsnCodec.compare(onDisk, goal)! >= 0;
    let durable: Position | undefined;
    if (watched !== undefined && isReached(watched.end)) {
      durable = watched.position;
      this.#watched = undefined;
    }
    if (this.#watched === undefined && this.#newest !== undefined) {
      if (isReached(end)) durable = this.#newest;
      else if (this.#newest !== durable) this.#watched = { position: this.#newest, end };
    }
    if (durable === this.#newest) this.#newest = undefined;
    return durable;
  }

  /** A commit that waited for the disk was the last one. */
  settled(): void {
    this.#newest = undefined;
    this.#watched = undefined;
  }
}
