import { setTimeout as delay } from "node:timers/promises";

/** From this many bytes a millisecond on, the log comes faster than small reads should take it. */
const BUSY_RATE = 3_000;
const WINDOW_MS = 10;
const PAUSE_MS = 2;

/**
 * Paces the reading of a server that sends each of its messages by itself. A reader that waits for every
 * one of them costs the server half of its time, for waking it; so while much comes, what comes is left
 * to gather for a moment. A stream that is quiet is read at once.
 */
export class ReadPace {
  #windowStart = 0;
  #windowBytes = 0;
  #busy = false;

  took(bytes: number): void {
    const now = performance.now();
    this.#windowBytes += bytes;
    const elapsed = now - this.#windowStart;
    if (elapsed < WINDOW_MS) return;
    this.#busy = this.#windowBytes / elapsed >= BUSY_RATE;
    this.#windowStart = now;
    this.#windowBytes = 0;
  }

  get busy(): boolean {
    return this.#busy;
  }

  async rest(): Promise<void> {
    await delay(PAUSE_MS);
  }
}
