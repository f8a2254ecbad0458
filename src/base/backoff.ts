import { setTimeout as delay } from "node:timers/promises";

export interface BackoffOptions {
  /** Retries allowed; undefined for no limit. */
  readonly retries: number | undefined;
  readonly firstDelayMs: number;
  /** Whether each delay is twice the one before, up to `longestDelayMs`. */
  readonly doubling: boolean;
  readonly longestDelayMs: number;
}

/** Counts the failures of one thing and spaces its retries. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Forgets earlier failures: the thing has worked again. */
  reset(): void {
    this.#failures = 0;
  }

  /** Counts a failure; the delay before the next try in milliseconds, or undefined when there is none left. */
  failed(): number | undefined {
    const { retries, firstDelayMs, doubling, longestDelayMs } = this.#options;
    if (retries !== undefined && this.#failures >= retries) return undefined;
    const factor = doubling ? 2 ** Math.min(this.#failures, 30) : 1;
    this.#failures++;
    return Math.min(firstDelayMs * factor, longestDelayMs);
  }
}

/** Waits, or throws the signal's reason as soon as it is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
