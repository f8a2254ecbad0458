import { type ChangeBatch, NULL_CELL, Op } from "../../../core/change-batch.ts";
import { CopyFrames } from "../../../core/copy-frames.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import type { Loaded, Loader } from "../../../core/target.ts";
import type { ApplyCounts } from "../apply/apply-counts.ts";
import { ApplyGroup } from "../apply/apply-group.ts";
import type { ApplyHooks } from "../apply/apply-parts.ts";
import { NOWHERE } from "../apply/row-exception.ts";
import { CopyTextRows } from "./copy-text-rows.ts";

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
  /** Ordinals of the columns that come. */
  readonly #columns: readonly number[];

  constructor(plan: TablePlan, target: ScreenedTarget) {
    this.#plan = plan;
    this.#target = target;
    this.#columns = plan.source.columns.flatMap(({ generated }, ordinal) =>
      generated === undefined ? [ordinal] : [],
    );
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
    group.add(this.#batch(), undefined, 0);
    rows.clear(this.#columns.length);
    await this.#described(() => this.#target.write(group));
  }

  #batch(): ChangeBatch {
    const { source } = this.#plan;
    const { bytes, cells: read, rows } = this.#rows;
    const width = 2 * source.columns.length;
    const cells = new Int32Array(rows * width).fill(NULL_CELL);
    const ops = new Int32Array(4 * rows);
    for (let row = 0; row < rows; row++) {
      ops.set([Op.insert, 0, -1, row * width], 4 * row);
      for (const [i, ordinal] of this.#columns.entries()) {
        const from = 2 * (row * this.#columns.length + i);
        cells[row * width + 2 * ordinal] = read[from]!;
        cells[row * width + 2 * ordinal + 1] = read[from + 1]!;
      }
    }
    const whole = { position: NOWHERE, id: "", committedAtMs: 0, begins: true, commits: true };
    return {
      ...{ bytes, cells, ops, encoding: "text", tables: [source] },
      transactions: [{ start: 0, end: rows, ...whole }],
    };
  }

  async #described<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#target.describe(error);
    }
  }
}
