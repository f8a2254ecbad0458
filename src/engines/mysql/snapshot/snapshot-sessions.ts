import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { connect } from "../connection/connection.ts";
import { killSession } from "../connection/kill-session.ts";
import type { WireSession } from "../connection/wire-session.ts";
import type { RowRead } from "./row-read.ts";

interface Waiting {
  readonly resolve: (wire: WireSession) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The sessions of a snapshot, each in a transaction that began at the same moment. None can be added later, so
 * whoever finds none free waits for one, and one whose reader stops halfway is won back.
 */
export class SnapshotSessions implements AsyncDisposable {
  readonly #endpoint: EndpointConfig;
  readonly #all: Set<WireSession>;
  readonly #free: WireSession[];
  readonly #waiting: Waiting[] = [];
  readonly #background = new Set<Promise<void>>();
  #isClosed = false;

  constructor(endpoint: EndpointConfig, sessions: readonly WireSession[]) {
    this.#endpoint = endpoint;
    this.#all = new Set(sessions);
    this.#free = [...sessions];
  }

  /** Throws `source.snapshot_lost` when no session is left. */
  async lend(signal: AbortSignal): Promise<WireSession> {
    signal.throwIfAborted();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#all.size === 0) throw ended();
    return await new Promise<WireSession>((resolve, reject) => {
      const waiting: Waiting = {
        resolve: (wire) => {
          signal.removeEventListener("abort", abort);
          resolve(wire);
        },
        reject: (error) => {
          signal.removeEventListener("abort", abort);
          reject(error);
        },
      };
      const abort = (): void => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        waiting.reject(signal.reason);
      };
      signal.addEventListener("abort", abort);
      this.#waiting.push(waiting);
    });
  }

  giveBack(wire: WireSession): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(wire);
    else next.resolve(wire);
  }

  /** Of no use any more: its transaction is gone, or something unknown is under way on it. */
  discard(wire: WireSession): void {
    wire.destroy();
    this.#all.delete(wire);
    this.#run(killSession(this.#endpoint, "source", wire));
    if (this.#all.size === 0) for (const { reject } of this.#waiting.splice(0)) reject(ended());
  }

  /** Ends a read whose rows nobody wants any more; its transaction goes on. Does not wait for it. */
  stop(wire: WireSession, read: RowRead): void {
    this.#run(this.#winBack(wire, read));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(ended());
    const idle = this.#free.splice(0);
    for (const wire of this.#all) if (!idle.includes(wire)) this.discard(wire);
    await Promise.all(idle.map((wire) => wire.close()));
    await Promise.all(this.#background);
  }

  async #winBack(wire: WireSession, read: RowRead): Promise<void> {
    try {
      await this.#interrupt(wire);
      await read.drain();
      if (!this.#isClosed) this.giveBack(wire);
    } catch {
      if (this.#all.has(wire)) this.discard(wire);
    }
  }

  async #interrupt(wire: WireSession): Promise<void> {
    const options = { side: "source", purpose: "tideway kill" } as const;
    const client = await connect(this.#endpoint, options, new AbortController().signal);
    try {
      if (client.facts.identity !== wire.facts.identity) throw ended();
      await client.execute(`kill query ${wire.threadId}`);
    } finally {
      await client.end();
    }
  }

  #run(work: Promise<void>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }
}

function ended(): MigrationError {
  return new MigrationError("source.snapshot_lost", {
    message: "The sessions that the snapshot was read by have ended.",
  });
}
