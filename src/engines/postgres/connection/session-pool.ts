import type { WireSession } from "./wire-session.ts";

/** A session lent to one piece of work. The first call of giveBack() or discard() ends the loan; later ones do nothing. */
export interface LentSession {
  readonly wire: WireSession;
  /** The session is idle and outside any transaction. */
  giveBack(): Promise<void>;
  /** Cuts the connection at once: whatever the server was doing for it is rolled back. */
  discard(): void;
}

/**
 * Sessions that are reused by one piece of work after the other: a connection costs more than the
 * transfer of a small table. Holds as many as were ever lent at once; the borrowers set that limit.
 */
export class SessionPool implements AsyncDisposable {
  readonly #open: (signal: AbortSignal) => Promise<WireSession>;
  readonly #idle: PooledSession[] = [];
  readonly #lent = new Set<PooledSession>();
  #closed = false;

  constructor(open: (signal: AbortSignal) => Promise<WireSession>) {
    this.#open = open;
  }

  /** The loan ends with a cut connection when the signal aborts. Throws the signal's reason, or what opening throws. */
  async lend(signal: AbortSignal): Promise<LentSession> {
    signal.throwIfAborted();
    const session = this.#reusable() ?? (await this.#connect(signal));
    this.#lent.add(session);
    const abort = (): void => session.cut.abort();
    signal.addEventListener("abort", abort, { once: true });
    const end = (): boolean => {
      signal.removeEventListener("abort", abort);
      return this.#lent.delete(session);
    };
    return {
      wire: session.wire,
      giveBack: async () => {
        if (!end()) return;
        if (this.#closed || session.cut.signal.aborted) await close(session);
        else this.#idle.push(session);
      },
      discard: () => {
        if (end()) session.cut.abort();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const session of this.#lent) session.cut.abort();
    await Promise.all(this.#idle.splice(0).map(close));
  }

  /** An idle session that hears from its server is being ended by it. */
  #reusable(): PooledSession | undefined {
    for (;;) {
      const session = this.#idle.pop();
      if (session === undefined || !session.wire.messages.pending) return session;
      session.cut.abort();
    }
  }

  async #connect(signal: AbortSignal): Promise<PooledSession> {
    const cut = new AbortController();
    const abort = (): void => cut.abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const wire = await this.#open(cut.signal);
      if (!signal.aborted && !this.#closed) return { wire, cut };
      await wire[Symbol.asyncDispose]();
    } finally {
      signal.removeEventListener("abort", abort);
    }
    signal.throwIfAborted();
    throw new DOMException("The session pool is closed.", "AbortError");
  }
}

interface PooledSession {
  readonly wire: WireSession;
  readonly cut: AbortController;
}

async function close(session: PooledSession): Promise<void> {
  await session.wire[Symbol.asyncDispose]();
}
