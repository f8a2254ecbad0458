import { CopyFrames } from "../../../core/copy-frames.ts";
import { CopyTextRows } from "../../../core/copy-text-rows.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import { insertsOf, sentColumns } from "../../../core/row-inserts.ts";
import type { Loaded, Loader } from "../../../core/target.ts";
import type { ApplyCounts } from "../apply/apply-counts.ts";
import { ApplyGroup } from "../apply/apply-group.ts";
import type { ApplyHooks } from "../apply/apply-parts.ts";

/** Rows that are written together; of a group with a row that is refused each is then written by itself. */
const GROUP_ROWS = 1_000;
const GROUP_BYTES = 4 << 20;

/** What an engine does for a load whose rows the target may refuse, in a transaction that has begun. */
export interface ScreenedTarget extends AsyncDisposable {
  readonly counts: ApplyCounts;
  /** Writes rows, as inserts, and records those that are passed over. */
  write(group: ApplyGroup): Promise<void>;
  /** Records the partition as loaded and commits. */
  finish(rows: number): Promise<void>;
  /** What is told of an error; the error that ended the session when there is one. */
  describe(error: unknown): unknown;
}

export interface ScreenedHooks extends ApplyHooks {
  /** The first thing that was found to end the load. */
  failure(): { readonly error: unknown } | undefined;
}

/** What a session of a screened load tells; nobody else waits for it. */
export function screenedHooks(counts: ApplyCounts, describe: (error: unknown) => unknown): ScreenedHooks {
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  return {
    ...{ counts, fail, failure: () => failure },
    completed: (expectation, rows, place) => {
      const error = counts.completed(expectation, rows, place);
      if (error !== undefined) fail(error);
    },
    describe: ({ error }) => describe(error),
  };
}

/** In a load a row that is there already is refused like any other that a constraint stands against. */
export function loadPolicies(policies: RowErrorPolicies): RowErrorPolicies {
  const { refused, refusedLimit } = policies;
  return { ...policies, insertPresent: refused, conflictLimit: refusedLimit };
}

/** A partition's rows as inserts, which go in as sets until one of them is refused. */
export class ScreenedLoad implements Loader {
  readonly #plan: TablePlan;
  readonly #target: ScreenedTarget;
  readonly #frames = new CopyFrames();
  readonly #rows = new CopyTextRows();
  /** How many columns come. */
  readonly #columns: number;

  constructor(plan: TablePlan, target: ScreenedTarget) {
    this.#plan = plan;
    this.#target = target;
    this.#columns = sentColumns(plan.source).length;
  }

  async write(chunk: RowChunk): Promise<void> {
    this.#frames.walk(chunk.bytes, this.#rows);
    if (this.#rows.rows >= GROUP_ROWS || this.#rows.length >= GROUP_BYTES) await this.#flush();
  }

  async finish(): Promise<Loaded> {
    await this.#flush();
    const { counts } = this.#target;
    const [applied] = counts.totals();
    const { inserts = 0, refused = 0, conflicts = 0, logged = 0 } = applied ?? {};
    await this.#described(() => this.#target.finish(inserts));
    return { rows: inserts, leftOut: { refused: refused + conflicts, logged } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.rows === 0) return;
    const group = new ApplyGroup();
    group.add(insertsOf(this.#plan.source, rows), undefined, 0);
    rows.clear(this.#columns);
    await this.#described(() => this.#target.write(group));
  }

  async #described<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#target.describe(error);
    }
  }
}
