import { LatencyHistogram } from "../base/latency-histogram.ts";
import type { AppliedProgress } from "../core/target.ts";
import type { LagProgress } from "./task.ts";

/** How long after their commits on the source transactions commit on the target. */
export class LagMeter {
  #latencies = new LatencyHistogram();
  #currentMs = 0;
  /** Of no commit so far has the log told a fraction of a second. */
  #wholeSeconds = true;
  #transactions = 0;
  #changes = 0;

  /** What has committed on the target at that time of day. */
  record(progress: AppliedProgress, nowMs: number): void {
    for (const committedAtMs of progress.committedAtMs) {
      this.#currentMs = Math.max(0, nowMs - committedAtMs);
      this.#latencies.record(this.#currentMs);
      if (committedAtMs % 1000 !== 0) this.#wholeSeconds = false;
      this.#transactions++;
    }
    for (const count of progress.tables.values()) {
      this.#changes += count.inserts + count.updates + count.deletes + count.truncates;
    }
  }

  /** Latencies are of what comes from now on. */
  forgetLatencies(): void {
    this.#latencies = new LatencyHistogram();
  }

  /** undefined while nothing has been applied. */
  get progress(): LagProgress | undefined {
    if (this.#transactions === 0) return undefined;
    return {
      currentMs: this.#currentMs,
      p50Ms: this.#latencies.percentile(0.5),
      p99Ms: this.#latencies.percentile(0.99),
      maxMs: this.#latencies.maxMs,
      resolutionMs: this.#wholeSeconds ? 1000 : 1,
      transactions: this.#transactions,
      changes: this.#changes,
    };
  }
}
