import { failpoint } from "../base/failpoint.ts";
import { Limiter } from "../base/limiter.ts";
import type { Journal } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import type { PostLoadStep } from "../core/post-load-step.ts";
import { type BuildContext, isSmall, runSteps, SMALL_AT_ONCE } from "./post-load.ts";

export interface LoadedTable {
  readonly plan: TablePlan;
  /** Created by Tideway, so that its keys and indexes are built by Tideway too. */
  readonly created: boolean;
}

export interface FinishContext extends BuildContext {
  readonly journal: Journal;
}

/**
 * Marks tables whose rows are in as loaded, builds their keys and secondary indexes, and vacuums them,
 * beside the loading of others. The indexes of a large table are built beside each other. Small tables
 * that wait for a builder are taken together: the more there are, the less each costs.
 */
export class TableFinisher {
  readonly #context: FinishContext;
  readonly #builders: Limiter;
  readonly #works: Promise<void>[] = [];
  readonly #small: LoadedTable[] = [];
  #smallTurns = 0;

  constructor(context: FinishContext) {
    this.#context = context;
    this.#builders = new Limiter(context.builders);
  }

  add(table: LoadedTable): void {
    if (!isSmall(table.plan)) {
      this.#start(this.#finishLarge(table));
      return;
    }
    this.#small.push(table);
    if (this.#smallTurns >= this.#context.builders) return;
    this.#smallTurns++;
    this.#start(this.#finishSmall());
  }

  /** Resolves when all that were added are finished; throws the first failure. */
  async end(): Promise<void> {
    await Promise.all(this.#works);
  }

  /** Resolves when nothing is being done any more, whether or not it failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#works);
  }

  /** A failed build must not be an unhandled rejection while lanes still run; it is thrown at the end. */
  #start(work: Promise<void>): void {
    work.catch(() => undefined);
    this.#works.push(work);
  }

  async #finishSmall(): Promise<void> {
    await this.#builders.run(async () => {
      for (;;) {
        const tables = this.#small.splice(0, SMALL_AT_ONCE);
        if (tables.length === 0) break;
        await this.#finish(tables, (steps) => runSteps(steps, this.#context));
      }
      this.#smallTurns--;
    });
  }

  async #finishLarge(table: LoadedTable): Promise<void> {
    await this.#finish([table], async (steps) => {
      await Promise.all(steps.map((step) => this.#builders.run(() => runSteps([step], this.#context))));
    });
  }

  async #finish(
    tables: readonly LoadedTable[],
    run: (steps: readonly PostLoadStep[]) => Promise<void>,
  ): Promise<void> {
    const { journal, target, errors, observer, signal } = this.#context;
    const loaded = tables.filter(({ plan }) => !errors.isSuspended(plan.source.id));
    await journal.setTableStates(
      loaded.map(({ plan }) => plan.source.id),
      { state: "loaded" },
      signal,
    );
    failpoint("load.table-loaded");
    const steps = loaded.flatMap(({ plan, created }) => (created ? target.postLoadSteps(plan) : []));
    for (const stage of ["key", "index"] as const) await run(steps.filter((step) => step.stage === stage));
    for (const { plan } of loaded) {
      if (!errors.isSuspended(plan.source.id)) observer.loadFinished(plan.source.id);
    }
    await run(steps.filter((step) => step.stage === "vacuum"));
  }
}
