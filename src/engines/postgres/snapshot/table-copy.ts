import type { LentSession } from "../connection/session-pool.ts";
import type { CopyChunk, QueryResult } from "../connection/wire-session.ts";

/** Rows of a table on their way from the server, on a session lent for that. */
export class TableCopy {
  readonly #session: LentSession;
  readonly #rows: AsyncGenerator<CopyChunk, QueryResult>;
  readonly #check: (after: QueryResult) => void;

  /** `check` throws when what the statements after the COPY came to does not let the rows be trusted. */
  constructor(
    session: LentSession,
    rows: AsyncGenerator<CopyChunk, QueryResult>,
    check: (after: QueryResult) => void,
  ) {
    this.#session = session;
    this.#rows = rows;
    this.#check = check;
  }

  /** The next chunk; undefined when all rows have come and are right, which also gives the session back. */
  async next(): Promise<CopyChunk | undefined> {
    try {
      const next = await this.#rows.next();
      if (next.done !== true) return next.value;
      this.#check(next.value);
      await this.#session.giveBack();
      return undefined;
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Ends the COPY where it is. Does nothing after its end. */
  discard(): void {
    this.#session.discard();
  }
}
