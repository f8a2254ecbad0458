import { failpoint } from "../base/failpoint.ts";
import type { ChangeBatch, ChangeTransaction, StreamItem } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import type { ChangeStream } from "../core/source.ts";
import { type Applier, ApplyMode } from "../core/target.ts";
import { countChanges, cutBatch, type TableRules } from "./apply-modes.ts";
import type { PipelineObserver } from "./observer.ts";

/** How soon the source is asked again how far it has come while a goal is waited for. */
const PROBE_INTERVAL_MS = 20;

/** How often an idle stretch of log is recorded and given back to the source. */
const IDLE_SAVE_INTERVAL_MS = 5_000;

export interface ChangeApplyParts {
  readonly stream: ChangeStream;
  readonly applier: Applier;
  readonly rules: TableRules;
  readonly observer: PipelineObserver;
  /** Records that everything up to an idle position is durable; must resolve before the source is told. */
  readonly saveIdle: (position: Position) => Promise<void>;
}

export interface ApplyGoal {
  /** End once everything up to here is durable; undefined for no end. */
  readonly position?: Position | undefined;
  /** End before the first transaction committed after this time (ms, the source's clock). */
  readonly committedBeforeMs?: number | undefined;
}

export type ApplyEnd = "reached" | "commit-time" | "stopped";

/**
 * Carries changes from a stream to an applier, in order, and confirms to the source what the target
 * holds for good. Everything whole that was taken is durable when run() resolves.
 */
export class ChangeApply {
  readonly #parts: ChangeApplyParts;
  readonly #items: AsyncIterator<StreamItem>;
  #next: Promise<IteratorResult<StreamItem>> | undefined;
  #goal: ApplyGoal = {};
  #stopped = false;
  /** False while a transaction has been taken in part: the applier holds it open on the target. */
  #atBoundary = true;
  #idleSavedMs = 0;
  /** Everything committed up to here was taken. */
  #received: Position | undefined;
  #durable: Position | undefined;
  /** Position of the last transaction given to the applier; durable follows it. */
  #given: Position | undefined;
  #wake: (() => void) | undefined;
  readonly #between: { readonly work: () => Promise<void>; readonly giveUp: () => void }[] = [];
  #giveUpWaiting: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: ChangeApplyParts) {
    this.#parts = parts;
    this.#items = parts.stream[Symbol.asyncIterator]();
    parts.applier.onDurable = (progress) => {
      this.#durable = progress.position;
      parts.stream.confirm(progress.position);
      parts.observer.durable(progress);
      failpoint("apply.durable");
    };
    parts.applier.onFailure = (error) => this.fail(error);
  }

  /** Makes run() throw: something it depends on has failed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#giveUpWaiting?.();
    this.#wake?.();
  }

  /** Ends run() at the next commit boundary. */
  stop(): void {
    this.#stopped = true;
    this.#giveUpWaiting?.();
    this.#wake?.();
  }

  /** Does something between two batches, when everything taken is durable. */
  between(work: () => Promise<void>): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#between.push({
      work: () => work().then(done.resolve, done.reject),
      giveUp: () => done.reject(new DOMException("The change phase has ended.", "AbortError")),
    });
    this.#wake?.();
    return done.promise;
  }

  /** What still waits for its turn between two batches fails; run() is not called again. */
  abandon(): void {
    for (const { giveUp } of this.#between.splice(0)) giveUp();
  }

  /** Replaces the goal, also of a run in progress. */
  setGoal(goal: ApplyGoal): void {
    this.#goal = goal;
    this.#wake?.();
  }

  async run(): Promise<ApplyEnd> {
    let probe: NodeJS.Timeout | undefined;
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error;
        if (this.#stopped) return await this.#finish("stopped");
        if (this.#atBoundary) {
          await this.#doBetween();
          if (this.#goalReached()) return await this.#finish("reached");
        }
        if (this.#goal.position !== undefined && probe === undefined) {
          this.#parts.stream.probe();
          probe = setInterval(() => this.#parts.stream.probe(), PROBE_INTERVAL_MS);
        }
        const item = await this.#nextItem();
        if (item === undefined) continue;
        if (item.kind === "heartbeat") {
          this.#received = item.position;
          await this.#confirmIdle(item.position);
        } else if (await this.#take(item.batch)) {
          return await this.#finish("commit-time");
        }
      }
    } finally {
      clearInterval(probe);
    }
  }

  /** The next item, or undefined when something else wants attention first. */
  async #nextItem(): Promise<StreamItem | undefined> {
    this.#next ??= this.#items.next();
    const next = this.#next;
    const result = await new Promise<IteratorResult<StreamItem> | undefined>((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      next.then(resolve, reject);
    });
    this.#wake = undefined;
    if (result === undefined) return undefined;
    this.#next = undefined;
    if (result.done === true) {
      this.#stopped = true;
      return undefined;
    }
    return result.value;
  }

  async #doBetween(): Promise<void> {
    for (let next = this.#between.shift(); next !== undefined; next = this.#between.shift()) {
      await this.#parts.applier.flush();
      await next.work();
    }
  }

  /** True when the batch holds a transaction that lies beyond the goal's commit time. */
  async #take(batch: ChangeBatch): Promise<boolean> {
    const limit = this.#goal.committedBeforeMs;
    const isBeyond = (transaction: ChangeTransaction): boolean =>
      limit !== undefined && transaction.begins && transaction.committedAtMs > limit;
    const before = limit === undefined ? undefined : cutBatch(batch, isBeyond);
    const taken = before ?? batch;
    if (taken.transactions.length > 0) {
      const { applier, observer } = this.#parts;
      const modes = await this.#modes(taken);
      // Given up while a table was being loaded: the batch was not taken, the stream will send it again.
      if (this.#stopped || this.#failure !== undefined) return false;
      await applier.apply(taken, modes);
      failpoint("apply.batch-taken");
      observer.captured(countChanges(taken, modes));
      this.#atBoundary = taken.transactions.at(-1)!.commits;
      const last = taken.transactions.findLast((transaction) => transaction.commits);
      if (last !== undefined) {
        this.#received = last.position;
        this.#given = last.position;
      }
    }
    return before !== undefined;
  }

  /** The batch's modes, once no table of it that is being loaded again is in the way. */
  async #modes(batch: ChangeBatch): Promise<Uint8Array | undefined> {
    const { rules } = this.#parts;
    const held = batch.tables.flatMap((table) => rules.gateOf(table.id) ?? []);
    if (held.length > 0) await this.#waitFor(held.map((gate) => gate.positioned));
    const modes = rules.modes(batch);
    if (held.length > 0) {
      const needed = batch.tables.flatMap((table, index) =>
        isApplied(batch, modes, index) ? (rules.gateOf(table.id) ?? []) : [],
      );
      await this.#waitFor(needed.map((gate) => gate.loaded));
    }
    return modes;
  }

  async #waitFor(gates: readonly Promise<void>[]): Promise<void> {
    if (this.#stopped || this.#failure !== undefined) return;
    const givenUp = Promise.withResolvers<void>();
    this.#giveUpWaiting = givenUp.resolve;
    await Promise.race([Promise.all(gates), givenUp.promise]);
    this.#giveUpWaiting = undefined;
  }

  /**
   * An idle stretch of log may be discarded as soon as nothing taken is still on its way. It is recorded
   * in the target first: so the source never stands beyond the target's record, and a target that was
   * set back to an earlier state is noticed instead of going on with a gap.
   */
  async #confirmIdle(position: Position): Promise<void> {
    const { rules, stream, saveIdle } = this.#parts;
    const given = this.#given;
    const settled =
      given === undefined || (this.#durable !== undefined && rules.reaches(this.#durable, given));
    if (!settled || Date.now() - this.#idleSavedMs < IDLE_SAVE_INTERVAL_MS) return;
    await saveIdle(position);
    this.#idleSavedMs = Date.now();
    stream.confirm(position);
  }

  #goalReached(): boolean {
    const goal = this.#goal.position;
    return (
      goal !== undefined && this.#received !== undefined && this.#parts.rules.reaches(this.#received, goal)
    );
  }

  async #finish(end: ApplyEnd): Promise<ApplyEnd> {
    await this.#parts.applier.flush();
    return end;
  }
}

/** Whether any transaction of the batch has changes of this table that are not skipped. */
function isApplied(batch: ChangeBatch, modes: Uint8Array | undefined, table: number): boolean {
  if (modes === undefined) return true;
  const width = batch.tables.length;
  return batch.transactions.some((_, index) => modes[index * width + table] !== ApplyMode.skip);
}
