import type { Finding } from "../core/finding.ts";
import type { Attempt } from "./attempt.ts";

/** What may have something to say of the rows that it has read or written. */
interface Teller {
  findings?(): readonly Finding[];
}

/**
 * Passes on what is to be said of values that came as others. While changes are applied the numbers grow without end,
 * so a table is told of when it first has any, and of all of them when the run ends.
 */
export class ValueFindings {
  readonly #statistics: Pick<Attempt["statistics"], "finding">;
  readonly #tellers: readonly Teller[];
  readonly #told = new Set<string>();

  constructor({ statistics }: Pick<Attempt, "statistics">, tellers: readonly Teller[]) {
    this.#statistics = statistics;
    this.#tellers = tellers;
  }

  /** Tables that have not been told of. */
  tellFirst(): void {
    for (const finding of this.#findings()) {
      const key = `${finding.code} ${finding.subject}`;
      if (!this.#told.has(key)) this.#statistics.finding(finding);
      this.#told.add(key);
    }
  }

  tellAll(): void {
    for (const finding of this.#findings()) this.#statistics.finding(finding);
  }

  #findings(): readonly Finding[] {
    return this.#tellers.flatMap((teller) => teller.findings?.() ?? []);
  }
}
