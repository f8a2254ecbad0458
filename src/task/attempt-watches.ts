import type { Attempt } from "./attempt.ts";
import { reportToTarget } from "./control-reports.ts";
import { watchStreamHealth } from "./stream-health.ts";
import { OtherWriters } from "./tell-other-writers.ts";

/** What is looked at and reported now and then while a task runs. */
export class AttemptWatches {
  readonly #otherWriters = new OtherWriters();

  /** Until it is disposed. A full load by itself tells nobody of others: rows that it does not bring are not its concern. */
  begin(attempt: Attempt): AsyncDisposable {
    const watches = new AsyncDisposableStack();
    watches.use(watchStreamHealth(attempt));
    const { spec, target, plan, statistics, signal } = attempt;
    if (spec.type !== "full-load") {
      const tables = plan.tables.map((table) => table.target.id);
      const telling = { target, tables, tell: statistics.finding.bind(statistics) };
      watches.use(this.#otherWriters.watch(telling, signal));
    }
    watches.use(reportToTarget(attempt));
    return watches;
  }
}
