import { pause } from "../base/backoff.ts";
import { asMigrationError } from "../core/error.ts";
import type { Log } from "./log.ts";

export interface QueueTimes {
  /** How soon what a full disk did not take is written again. */
  readonly retryMs: number;
  /** How often it is told that this goes on. */
  readonly tellMs: number;
}

const TIMES: QueueTimes = { retryMs: 1000, tellMs: 60_000 };

type Write = () => Promise<unknown>;

/**
 * What is to be stored, in the order in which it was told, one after the other. While the disk is full all of it waits
 * for space. Each thing waits once, under its key: what is told of it again takes the place of what was
 * told before, so that what waits does not grow with the time it waits.
 */
export class WriteQueue {
  readonly #log: Log;
  readonly #times: QueueTimes;
  readonly #waiting = new Map<string, Write>();
  readonly #closing = new AbortController();
  #work: Promise<void> | undefined;

  constructor(log: Log, times = TIMES) {
    this.#log = log;
    this.#times = times;
  }

  /** A write may be called several times; the last time is the one that counts. */
  put(key: string, write: Write): void {
    this.#waiting.set(key, write);
    this.#work ??= this.#writeAll();
  }

  /** Resolves when everything told so far is stored. */
  async settle(): Promise<void> {
    await this.#work;
  }

  /** Stores what can be stored now: nobody will be there to try again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settle();
  }

  async #writeAll(): Promise<void> {
    let toldMs: number | undefined;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#work = undefined;
        return;
      }
      const [key, write] = next;
      try {
        await write();
        if (toldMs !== undefined) this.#log("info", "states are stored again");
        toldMs = undefined;
      } catch (thrown) {
        const error = asMigrationError(thrown).toJSON();
        if (mayPass(thrown) && !this.#closing.signal.aborted) {
          const nowMs = performance.now();
          const isDue = toldMs === undefined || nowMs - toldMs >= this.#times.tellMs;
          if (isDue) this.#log("error", "states wait to be stored", { error });
          if (isDue) toldMs = nowMs;
          await pause(this.#times.retryMs, this.#closing.signal).catch(() => undefined);
          continue;
        }
        this.#log("error", "state not stored", { error });
      }
      // Unless it was told again meanwhile.
      if (this.#waiting.get(key) === write) this.#waiting.delete(key);
    }
  }
}

/** Whether a write that failed so is tried again. */
export function mayPass(error: unknown): boolean {
  return asMigrationError(error).retry === "backoff";
}
