import { CopyFrames } from "../../../core/copy-frames.ts";
import { CopyTextRows } from "../../../core/copy-text-rows.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import { insertsOf, NOWHERE, sentColumns } from "../../../core/row-inserts.ts";
import { displayTable } from "../../../core/schema.ts";
import type { Loaded, Loader, LoadRequest } from "../../../core/target.ts";
import { ApplyCounts, type RowException } from "../apply/apply-counts.ts";
import { ApplyGroup } from "../apply/apply-group.ts";
import type { ApplyHooks } from "../apply/apply-parts.ts";
import { type ErrorTally, loadPolicies, RowErrors } from "../apply/row-errors.ts";
import type { LoadTallies, LoadTally } from "./load-tallies.ts";

/** Rows that are written together; a group with a row that is refused is then written in stretches. */
const GROUP_ROWS = 1_000;
const GROUP_BYTES = 4 << 20;

/** Other groups belong to the same transaction, and what refers to their rows may come before them. */
const PART = { position: NOWHERE, begins: false, commits: false };

export interface ScreenedRequest extends LoadRequest {
  readonly screens: RowErrorPolicies;
}

/** What an engine does for a load whose rows the target may refuse, in a transaction that has begun. */
export interface ScreenedTarget {
  readonly session: AsyncDisposable;
  /** Writes rows, as inserts. */
  readonly writer: { write(group: ApplyGroup): Promise<void> };
  /** Records those that are passed over. */
  readonly exceptions: { write(exceptions: readonly RowException[]): Promise<void> };
  /** Records the partition as loaded and commits. */
  finish(rows: number): Promise<void>;
}

export interface ScreenedHooks extends ApplyHooks {
  /** The first thing that was found to end the load. */
  failure(): { readonly error: unknown } | undefined;
}

/** What a session of a screened load tells; nobody else waits for it. */
function screenedHooks(counts: ApplyCounts, describe: (error: unknown) => unknown): ScreenedHooks {
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

export interface ScreenedOptions {
  readonly request: ScreenedRequest;
  /** Of all loads of the target. */
  readonly tallies: LoadTallies;
  readonly signal: AbortSignal;
  /** What is told of an error. */
  describe(error: unknown): unknown;
}

export interface ScreenedOpening {
  readonly policies: RowErrorPolicies;
  /** `recorded`: asks the target how much is recorded of the table; see readRecordedErrors(). */
  hooks(recorded: () => Promise<readonly ErrorTally[]>): Promise<ScreenedHooks>;
}

/** Opens one. `connect` makes what is the engine's of it; when it fails, it leaves no session open. */
export async function openScreenedLoad(
  { request, tallies, signal, describe }: ScreenedOptions,
  connect: (opening: ScreenedOpening) => Promise<ScreenedTarget>,
): Promise<Loader> {
  const { plan, screens } = request;
  const policies = loadPolicies(screens);
  const place = tallies.enter(plan);
  let hooks: ScreenedHooks | undefined;
  const told = (error: unknown): unknown => {
    if (signal.aborted) return signal.reason;
    return hooks?.failure()?.error ?? describe(error);
  };
  try {
    const target = await connect({
      policies,
      hooks: async (recorded) => {
        const tally = await place.of(async () => (await recorded())[0]);
        const errors = new RowErrors([plan], policies, { tallies: [tally], conflictsAre: "refused" });
        hooks = screenedHooks(new ApplyCounts([plan], errors), describe);
        return hooks;
      },
    });
    return new ScreenedLoad({ plan, target, hooks: hooks!, place, told });
  } catch (error) {
    place.leave();
    throw told(error);
  }
}

interface ScreenedParts {
  readonly plan: TablePlan;
  readonly target: ScreenedTarget;
  readonly hooks: ScreenedHooks;
  readonly place: LoadTally;
  /** What is told of an error; the error that ended the session when there is one. */
  told(error: unknown): unknown;
}

/** A partition's rows as inserts, which go in as sets until one of them is refused. */
class ScreenedLoad implements Loader {
  readonly #parts: ScreenedParts;
  readonly #frames = new CopyFrames();
  readonly #rows = new CopyTextRows();
  /** How many columns come. */
  readonly #columns: number;
  /** Rows that have come. */
  #came = 0;

  constructor(parts: ScreenedParts) {
    this.#parts = parts;
    this.#columns = sentColumns(parts.plan.source).length;
  }

  async write(chunk: RowChunk): Promise<void> {
    this.#frames.walk(chunk.bytes, this.#rows);
    this.#came += chunk.rows;
    if (this.#rows.rows >= GROUP_ROWS || this.#rows.length >= GROUP_BYTES) await this.#flush();
  }

  async finish(): Promise<Loaded> {
    await this.#flush();
    const { target, hooks } = this.#parts;
    const [applied] = hooks.counts.totals();
    const { inserts = 0, refused = 0, conflicts = 0, logged = 0 } = applied ?? {};
    const leftOut = { refused: refused + conflicts, logged };
    await this.#told(async () => {
      this.#checkRows(inserts + leftOut.refused);
      await target.finish(inserts);
    });
    hooks.counts.take();
    return { rows: inserts, leftOut };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { target, hooks, place } = this.#parts;
    hooks.counts.takenBack();
    place.leave();
    await target.session[Symbol.asyncDispose]();
  }

  /** Rows pass through stretches that are taken back and tried again: none of them may get lost there, or come twice. */
  #checkRows(done: number): void {
    if (done === this.#came && this.#rows.rows === 0 && this.#rows.length === 0) return;
    const { id } = this.#parts.plan.source;
    throw new MigrationError("internal.unexpected", {
      message: `Of ${this.#came} rows of a partition of ${displayTable(id)} ${done} were written or recorded.`,
      subject: displayTable(id),
    });
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.rows === 0) return;
    const group = new ApplyGroup();
    group.add(insertsOf(this.#parts.plan.source, rows, PART), undefined, 0);
    rows.clear(this.#columns);
    const { target, hooks } = this.#parts;
    await this.#told(async () => {
      await target.writer.write(group);
      const failure = hooks.failure();
      if (failure !== undefined) throw failure.error;
      await target.exceptions.write(hooks.counts.takeExceptions());
    });
  }

  async #told(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw this.#parts.told(error);
    }
  }
}
