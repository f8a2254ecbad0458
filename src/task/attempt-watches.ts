import type { Attempt } from "./attempt.ts";
import { reportToTarget } from "./control-reports.ts";
import { watchStreamHealth } from "./stream-health.ts";
import { OtherWriters } from "./tell-other-writers.ts";

/** What is looked at and reported now and then while a task runs. */
export class AttemptWatches {
  readonly #otherWriters = new OtherWriters();

  /**
   * Until it is disposed. Others who write to the target are no concern of a full load by itself, which follows nothing, nor
   * of a task that keeps two databases equal in which both are written.
   */
  begin(attempt: Attempt): AsyncDisposable {
    const watches = new AsyncDisposableStack();
    watches.use(watchStreamHealth(attempt));
    const { spec, settings, target, plan, statistics, signal } = attempt;
    if (spec.type !== "full-load" && !settings.preventsLoops) {
      const tables = plan.tables.map((table) => table.target.id);
      const telling = { target, tables, tell: statistics.finding.bind(statistics) };
      watches.use(this.#otherWriters.watch(telling, signal));
    }
    watches.use(reportToTarget(attempt));
    return watches;
  }
}
