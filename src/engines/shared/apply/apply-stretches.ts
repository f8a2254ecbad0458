import type { MigrationError } from "../../../core/error.ts";

/** Changes that are tried together at most. */
const MOST = 256;

export interface StretchesParts<Change> {
  /** Writes changes; resolves with why the target refuses one of them, after which nothing of them has happened. */
  attempt(changes: readonly Change[]): Promise<MigrationError | undefined>;
  /** The target refuses a change that was tried by itself. */
  refused(change: Change, error: MigrationError): void;
  /** Each change is to be tried by itself. */
  readonly alone: boolean;
}

/**
 * Tries changes in their order, so that those that the target refuses are found by few attempts: a stretch that is refused is
 * halved, and one that is not is followed by one of twice as many. After a change that is refused the next is tried by
 * itself, so where all of them are that takes one attempt for each.
 */
export class Stretches<Change> {
  readonly #parts: StretchesParts<Change>;
  readonly #most: number;
  #size: number;
  #waiting: Change[] = [];

  constructor(parts: StretchesParts<Change>) {
    this.#parts = parts;
    this.#most = parts.alone ? 1 : MOST;
    this.#size = this.#most;
  }

  async add(change: Change): Promise<void> {
    this.#waiting.push(change);
    if (this.#waiting.length === this.#most) await this.flush();
  }

  /** Resolves when all changes are tried. */
  async flush(): Promise<void> {
    const { attempt, refused } = this.#parts;
    const changes = this.#waiting;
    this.#waiting = [];
    // Up to where, from the change that is next, one is known to be refused.
    let refusing: number | undefined;
    for (let at = 0; at < changes.length; ) {
      const count = refusing === undefined ? this.#size : Math.ceil((refusing - at) / 2);
      const end = Math.min(at + count, changes.length);
      const error = await attempt(changes.slice(at, end));
      if (error !== undefined && end - at > 1) {
        refusing = end;
        continue;
      }
      if (error !== undefined) {
        refused(changes[at]!, error);
        this.#size = 1;
        refusing = undefined;
      } else if (refusing === undefined) {
        this.#size = Math.min(2 * this.#size, this.#most);
      }
      at = end;
      if (at === refusing) refusing = undefined;
    }
  }
}
