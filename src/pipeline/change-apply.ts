import { failpoint } from "../base/failpoint.ts";
import type { ChangeBatch, ChangeTransaction, StreamItem } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import type { NotedTransaction } from "../core/schema-note.ts";
import type { ChangeStream } from "../core/source.ts";
import type { Applier } from "../core/target.ts";
import { type ApplyGoal, type Taken, upToGoal } from "./apply-goal.ts";
import { appliedTables, cutBatch, misfitOf, type TableRules } from "./apply-modes.ts";
import { brokenCascade } from "./cascade-modes.ts";
import type { CountedChanges } from "./counted-changes.ts";
import { IdlePositions } from "./idle-positions.ts";
import type { PipelineObserver } from "./observer.ts";
import { ShownPositions } from "./shown-positions.ts";
import { Standstill } from "./standstill.ts";
import { settleTruncates, type TruncatePolicy } from "./truncates.ts";

/** How soon the source is asked again how far it has come while a goal is waited for. */
const PROBE_INTERVAL_MS = 20;

export interface ChangeApplyParts {
  readonly stream: ChangeStream;
  readonly applier: Applier;
  readonly rules: TableRules;
  readonly observer: PipelineObserver;
  /** Records that everything up to an idle position is durable; must resolve before the source is told. */
  readonly saveIdle: (position: Position) => Promise<void>;
  readonly truncates: TruncatePolicy;
  readonly counted: Pick<CountedChanges, "tell">;
  /** Is told of changes before they are applied; they wait for what it returns. Nobody is when left out. */
  readonly watch?: ChangeWatch | undefined;
}

export type ChangeWatch = (batch: ChangeBatch, modes: Uint8Array | undefined) => Promise<void> | undefined;

/** noted: before a transaction that alters tables of the task. */
export type ApplyEnd = "reached" | "last" | "commit-time" | "stopped" | "noted";

interface Between {
  readonly work: () => Promise<void>;
  /** Not before everything up to here has been taken. */
  readonly after: Position | undefined;
  readonly giveUp: () => void;
}

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
  readonly #idle: IdlePositions;
  /** The place that the stream was asked to tell of, once it has come there. */
  #place: Position | undefined;
  /** Everything committed up to here was taken. */
  #received: Position | undefined;
  #durable: Position | undefined;
  /** Position of the last transaction given to the applier; durable follows it. */
  #given: Position | undefined;
  #wake: (() => void) | undefined;
  /** Something was asked for since the loop last looked at what there is to do. */
  #called = false;
  #between: Between[] = [];
  #isAbandoned = false;
  #giveUpWaiting: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #noted: NotedTransaction | undefined;
  readonly #standstill: Standstill;
  readonly #shown: ShownPositions;

  constructor(parts: ChangeApplyParts) {
    this.#parts = parts;
    this.#items = parts.stream[Symbol.asyncIterator]();
    this.#standstill = new Standstill(parts.rules);
    this.#shown = new ShownPositions(parts.rules);
    this.#idle = new IdlePositions(parts);
    parts.applier.onApplied = (progress) => {
      parts.observer.applied(progress);
      this.#shown.applied(progress.position);
      if (progress.committedAtMs.length > 0) failpoint("apply.committed");
    };
    parts.applier.onDurable = (position) => {
      this.#durable = position;
      parts.stream.confirm(position);
      parts.observer.durable(position);
      failpoint("apply.durable");
    };
    parts.applier.onFailure = (error) => this.fail(error);
  }

  /** The transaction before which run() has ended. */
  get noted(): NotedTransaction | undefined {
    return this.#noted;
  }

  /** Makes run() throw: something it depends on has failed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#giveUpWaiting?.();
    this.#call();
  }

  /** Ends run() at the next commit boundary. */
  stop(): void {
    this.#stopped = true;
    this.#giveUpWaiting?.();
    this.#call();
  }

  /** Does something between two batches, when everything taken is durable and holds all up to `after`. */
  between(work: () => Promise<void>, after?: Position): Promise<void> {
    if (this.#isAbandoned) return Promise.reject(hasEnded());
    const done = Promise.withResolvers<void>();
    this.#between.push({
      after,
      work: () => work().then(done.resolve, done.reject),
      giveUp: () => done.reject(hasEnded()),
    });
    this.#call();
    return done.promise;
  }

  /** Resolves when the target shows all that committed up to a position; the apply goes on meanwhile. */
  shows(position: Position): Promise<void> {
    if (this.#isAbandoned) return Promise.reject(hasEnded());
    const shown = this.#shown.wait(position);
    this.#call();
    return shown;
  }

  /**
   * Does something when the target holds exactly what committed up to a position, which `find` tells when it is called
   * between two batches: nothing beyond it is taken before the work is done. One at a time.
   */
  async at(find: () => Promise<Position>, work: () => Promise<void>): Promise<void> {
    const done = Promise.withResolvers<void>();
    await this.between(async () => {
      const position = await find();
      this.#standstill.begin(position);
      const stand = async (): Promise<void> => {
        try {
          await work();
        } finally {
          this.#standstill.end();
        }
      };
      this.between(stand, position).then(done.resolve, done.reject);
    });
    await done.promise;
  }

  /** What still waits for its turn between two batches fails, and so does what asks for one later; run() is not called again. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const { giveUp } of this.#between.splice(0)) giveUp();
    this.#shown.fail(hasEnded());
  }

  /** Replaces the goal, also of a run in progress. */
  setGoal(goal: ApplyGoal): void {
    this.#goal = goal;
    this.#call();
  }

  #call(): void {
    this.#called = true;
    this.#wake?.();
  }

  async run(): Promise<ApplyEnd> {
    let probe: NodeJS.Timeout | undefined;
    try {
      for (;;) {
        this.#called = false;
        if (this.#failure !== undefined) throw this.#failure.error;
        if (this.#stopped) return await this.#finish("stopped");
        if (this.#atBoundary) {
          this.#shown.taken(this.#received, this.#given);
          await this.#doBetween();
          if (this.#hasTaken(this.#last)) return await this.#finish("last");
          if (this.#hasTaken(this.#goal.position)) return await this.#finish("reached");
        }
        if (this.#awaitsPosition() && probe === undefined) {
          this.#parts.stream.probe();
          probe = setInterval(() => {
            if (this.#awaitsPosition()) this.#parts.stream.probe();
          }, PROBE_INTERVAL_MS);
        }
        const item = await this.#nextItem();
        if (item === undefined) continue;
        if (item.kind === "heartbeat") {
          this.#received = item.position;
          if (item.isAtPlace === true) this.#place = item.position;
          await this.#idle.confirm(item.position, { given: this.#given, durable: this.#durable });
        } else {
          const end = await this.#take(item.batch);
          if (end !== undefined) return await this.#finish(end);
        }
      }
    } catch (error) {
      // What came before the stream broke is applied and counted, as far as the applier still works.
      if (this.#failure === undefined) await this.#parts.applier.flush().catch(() => undefined);
      throw error;
    } finally {
      clearInterval(probe);
    }
  }

  /** The next item, or undefined when something else wants attention first. */
  async #nextItem(): Promise<StreamItem | undefined> {
    if (this.#called) return undefined;
    const waiting = this.#standstill.next();
    if (waiting !== undefined) return waiting;
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
    const isDue = ({ after }: Between): boolean => after === undefined || this.#hasTaken(after);
    for (let next = this.#between.find(isDue); next !== undefined; next = this.#between.find(isDue)) {
      const due = next;
      await this.#parts.applier.flush();
      // Until here abandon() would tell that it never came to its turn.
      this.#between = this.#between.filter((entry) => entry !== due);
      await due.work();
    }
  }

  /** How the run ends when the batch holds a transaction that lies beyond the goal; undefined when none does. */
  async #take(batch: ChangeBatch): Promise<"last" | "commit-time" | "noted" | undefined> {
    const { taken, reached } = this.#standstill.cut(batch);
    const end = await this.#takeAll(taken);
    if (end === undefined && reached !== undefined) this.#received = reached;
    return end;
  }

  async #takeAll(batch: ChangeBatch): Promise<"last" | "commit-time" | "noted" | undefined> {
    const { taken, end } = this.#upToNote(
      upToGoal(batch, { ...this.#goal, last: this.#last }, this.#parts.rules),
    );
    if (taken.transactions.length > 0) {
      const { applier, observer, rules, counted, watch } = this.#parts;
      const modes = await this.#modes(taken);
      // Given up while a table was being loaded: the batch was not taken, the stream will send it again.
      if (this.#stopped || this.#failure !== undefined) return undefined;
      const misfit =
        misfitOf(taken, modes) ?? brokenCascade(taken, modes, (table) => rules.isSuspended(table));
      if (misfit !== undefined) throw misfit;
      const settled = settleTruncates(taken, modes, this.#parts);
      const noted = watch?.(settled, modes);
      if (noted !== undefined) await noted;
      await applier.apply(settled, modes);
      failpoint("apply.batch-taken");
      // Truncates that are passed over are not among these: the target is not to carry them out.
      counted.tell(settled, modes, observer);
      const { commits, takenBack } = taken.transactions.at(-1)!;
      this.#atBoundary = commits || takenBack === true;
      const last = taken.transactions.findLast((transaction) => transaction.commits);
      if (last !== undefined) {
        this.#received = last.position;
        this.#given = last.position;
      }
    }
    return end;
  }

  #upToNote(goal: Taken<"last" | "commit-time">): Taken<"last" | "commit-time" | "noted"> {
    const { transactions, noted = [] } = goal.taken;
    const first = noted.find(({ transaction }) => transaction < transactions.length);
    if (first === undefined) return goal;
    const { position } = transactions[first.transaction]!;
    this.#noted = { position, notes: first.notes };
    const isNoted = (transaction: ChangeTransaction): boolean => transaction.position.text === position.text;
    return { taken: cutBatch(goal.taken, isNoted)!, end: "noted" };
  }

  /** What comes after this position is not to be taken; undefined while that is not known, or nothing is left out. */
  get #last(): Position | undefined {
    return this.#goal.last ?? (this.#goal.endsAtPlace === true ? this.#place : undefined);
  }

  /** The batch's modes, once no table of it that is being loaded again is in the way. */
  async #modes(batch: ChangeBatch): Promise<Uint8Array | undefined> {
    const { rules } = this.#parts;
    const gatesOf = (tables: ReadonlySet<number>) =>
      [...tables].flatMap((index) => rules.gateOf(batch.tables[index]!.id) ?? []);
    if (!rules.holds) return rules.modes(batch);
    await this.#waitFor(gatesOf(appliedTables(batch, undefined)).map((gate) => gate.positioned));
    await this.#waitFor(gatesOf(appliedTables(batch, rules.modes(batch))).map((gate) => gate.loaded));
    // A table may have been set aside while it was loaded.
    return rules.modes(batch);
  }

  async #waitFor(gates: readonly Promise<void>[]): Promise<void> {
    if (this.#stopped || this.#failure !== undefined) return;
    const givenUp = Promise.withResolvers<void>();
    this.#giveUpWaiting = givenUp.resolve;
    await Promise.race([Promise.all(gates), givenUp.promise]);
    this.#giveUpWaiting = undefined;
  }

  #awaitsPosition(): boolean {
    const { position, last } = this.#goal;
    return (
      position !== undefined ||
      last !== undefined ||
      this.#shown.awaitsStream ||
      this.#between.some(({ after }) => after !== undefined)
    );
  }

  #hasTaken(position: Position | undefined): boolean {
    if (position === undefined || this.#received === undefined) return false;
    return this.#parts.rules.reaches(this.#received, position);
  }

  async #finish(end: ApplyEnd): Promise<ApplyEnd> {
    await this.#parts.applier.flush();
    return end;
  }
}

function hasEnded(): DOMException {
  return new DOMException("The change phase has ended.", "AbortError");
}
