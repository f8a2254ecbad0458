import type { ComparisonParts } from "./whole-comparisons.ts";

/** Has the book know how many rows are recorded as other: what is recorded in a round is asked for once. */
export class FailureCounting {
  readonly #parts: Pick<ComparisonParts, "attempt" | "book" | "signal">;
  /** Resolves when the next round has asked; undefined when nobody wants to know. What an earlier session has recorded may not be known. */
  #wanted: PromiseWithResolvers<void> | undefined = Promise.withResolvers();

  constructor(parts: Pick<ComparisonParts, "attempt" | "book" | "signal">) {
    this.#parts = parts;
  }

  /** Resolves when all that is recorded by now has been counted. Rejects when the signal ends it. */
  async next(signal: AbortSignal): Promise<void> {
    this.#wanted ??= Promise.withResolvers();
    const { promise, reject } = this.#wanted;
    const end = (): void => reject(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** A round: asks if somebody wants to know. */
  async ask(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    this.#wanted = undefined;
    const { attempt, book, signal } = this.#parts;
    await book.countFailures({ ...attempt, signal });
    wanted.resolve();
  }
}
