import type { Position } from "../../../core/position.ts";

/** How often the target is asked how far its log is on disk while commits wait for it. */
const ASK_INTERVAL_MS = 50;

/** What a target says of its own log: its end, and how far of it is on disk. */
export interface LogState {
  readonly end: bigint;
  readonly onDisk: bigint;
}

/**
 * Follows which commits of the target are on its disk where the server does not wait for that at each of them: it
 * writes its log a moment later, in order. A commit is durable once the log is on disk up to where it ended after that
 * commit. A crash of the target in between takes back rows and position together, and the source still has the
 * changes: it is told only what is durable.
 */
export class LogDurability {
  /** The last commit, until it is durable. */
  #newest: Position | undefined;
  /** Commits up to `position` are durable when the log is on disk up to `end`. */
  #watched: { readonly position: Position; readonly end: bigint } | undefined;
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

  /** Takes what the target says; returns up to where commits are durable that were not before. */
  told({ end, onDisk }: LogState): Position | undefined {
    this.#askedAt = performance.now();
    const watched = this.#watched;
    let durable: Position | undefined;
    if (watched !== undefined && onDisk >= watched.end) {
      durable = watched.position;
      this.#watched = undefined;
    }
    if (this.#watched === undefined && this.#newest !== undefined) {
      if (onDisk >= end) durable = this.#newest;
      else if (this.#newest !== durable) this.#watched = { position: this.#newest, end };
    }
    if (durable === this.#newest) this.#newest = undefined;
    return durable;
  }

  /** All commits so far are on disk. */
  settled(): void {
    this.#newest = undefined;
    this.#watched = undefined;
  }
}
