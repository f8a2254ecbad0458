import { setTimeout as delay } from "node:timers/promises";
import type { SessionMark } from "./session-look.ts";

/** So long others that are cut at the same moment are waited for. */
const DELAY_MS = 200;

/**
 * Ends on their server the sessions that were cut, for whatever reason: one that does not hear of it keeps its locks,
 * and whoever goes on with its work would wait for those. Those that are cut together are ended together.
 */
export class CutSessions {
  readonly #end: (sessions: readonly SessionMark[]) => Promise<void>;
  #waiting: SessionMark[] = [];
  readonly #ending = new Set<Promise<void>>();

  constructor(end: (sessions: readonly SessionMark[]) => Promise<void>) {
    this.#end = end;
  }

  add(session: SessionMark): void {
    this.#waiting.push(session);
    if (this.#waiting.length > 1) return;
    const ending = this.#endAll();
    this.#ending.add(ending);
    void ending.then(() => this.#ending.delete(ending));
  }

  /** Resolves when the server has been told of all, or cannot be told. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  async #endAll(): Promise<void> {
    await delay(DELAY_MS);
    // What cannot be ended now, the server's keepalive ends.
    await this.#end(this.#waiting.splice(0)).catch(() => undefined);
  }
}
