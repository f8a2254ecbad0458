import type { Attempt } from "./attempt.ts";
import { watchStreamHealth } from "./stream-health.ts";
import { OtherWriters } from "./tell-other-writers.ts";

/** What is looked at now and then while a task runs. */
export class AttemptWatches {
  readonly #otherWriters = new OtherWriters();

  /** Until it is disposed. A full load by itself tells nobody of others: rows that it does not bring are not its concern. */
  begin(attempt: Attempt): Disposable {
    const watches = new DisposableStack();
    watches.use(watchStreamHealth(attempt));
    const { spec, target, plan, statistics, signal } = attempt;
    if (spec.type === "full-load") return watches;
    const tables = plan.tables.map((table) => table.target.id);
    watches.use(
      this.#otherWriters.watch({ target, tables, tell: (finding) => statistics.finding(finding) }, signal),
    );
    return watches;
  }
}
