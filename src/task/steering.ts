import type { TableId } from "../core/schema.ts";
import type { Applier } from "../core/target.ts";
import type { TableRules } from "../pipeline/apply-modes.ts";
import type { ChangeApply } from "../pipeline/change-apply.ts";
import { type Attempt, AttemptOutdated } from "./attempt.ts";
import { BesideChanges } from "./beside-changes.ts";
import type { RetryBook } from "./retry-book.ts";
import { ownApply, type RowBringers } from "./row-bringers.ts";
import { publishedTables } from "./run-load.ts";
import { reloadBeside } from "./run-reload.ts";
import { fulfilWish, standAmongChanges } from "./run-retry.ts";
import type { SchemaWatch } from "./run-schema-changes.ts";
import { ValidationBesideChanges } from "./run-validation.ts";
import { goalLimit, type StopRule } from "./stop-rule.ts";
import type { ValueFindings } from "./tell-values.ts";

/** How soon it is noticed that somebody has changed the publication: servers may not say so. */
const STREAM_CHECK_INTERVAL_MS = 60_000;
/** How late a stop time is noticed at most when the clock has been set. */
const CLOCK_CHECK_MS = 60_000;

/** What may be asked of the change phase while it runs. */
export interface ChangeControl {
  readonly stopRequested: boolean;
  readonly draining: boolean;
  readonly stopRule: StopRule;
  readonly retries: RetryBook;
  /** Called with whatever is to be told of a stop or a drain. */
  attach(listener: ChangeListener): void;
  /** Nothing runs any more. `queued`: what was to be reloaded, of which the journal knows nothing. */
  detach(queued: readonly TableId[]): void;
}

export interface ChangeListener {
  stop(): void;
  drain(): void;
  reload(tables: readonly TableId[]): void;
  /** Brings recorded rows, if that is wanted. */
  retry(): void;
  /** Compares tables anew, if that is wanted: see ValidationBook.wishes. */
  revalidate(): void;
  /** Ends the attempt for another that describes and assesses the tables as they are now. */
  replan(): void;
}

interface SteeringParts {
  readonly attempt: Attempt;
  readonly apply: ChangeApply;
  readonly applier: Applier;
  readonly rules: TableRules;
  readonly control: ChangeControl;
  readonly watch: SchemaWatch;
  readonly values: ValueFindings;
  /** Reloads that were asked for and are not done: until then another attempt for new tables would end them. */
  readonly reloads: Set<readonly TableId[]>;
  /** Who brings the rows that are compared. The apply when left out. */
  readonly bringers?: RowBringers;
}

/** Turns a stop, a drain, the stop time or a reload into what the running apply understands. */
export class Steering implements AsyncDisposable {
  readonly #parts: SteeringParts;
  readonly #ending = new AbortController();
  /** Ends at once what goes on beside the apply: builds, reloads. */
  readonly signal: AbortSignal;
  readonly #started = Promise.withResolvers<void>();
  /** Waits for begin(): before, constraints of other tables may be built. */
  readonly #beside: BesideChanges;
  /** Wishes to bring recorded rows, one after another. */
  #retries: Promise<void> = this.#started.promise;
  /** Reloads that the journal does not show yet. */
  readonly #queued = new Set<readonly TableId[]>();
  #timer: NodeJS.Timeout | undefined;
  readonly #watch: NodeJS.Timeout;
  #begun = false;
  #checking = false;
  #checked: Promise<void> = Promise.resolve();
  readonly #validation: ValidationBesideChanges | undefined;
  timeReached = false;

  constructor(parts: SteeringParts) {
    this.#parts = parts;
    this.signal = AbortSignal.any([parts.attempt.signal, this.#ending.signal]);
    this.#beside = new BesideChanges(this.#started.promise, this.signal, (error) => {
      parts.apply.fail(error);
      // What waits for its turn is the next attempt's, which finds in the journal what is left.
      this.#ending.abort();
    });
    const { validation: book } = parts.attempt;
    const compared = book && { attempt: this.#attempt, book };
    const bringers = parts.bringers ?? ownApply(parts, parts.attempt.source);
    this.#validation = compared && new ValidationBesideChanges(compared, bringers);
    this.#watch = setInterval(() => this.#checkStream(), STREAM_CHECK_INTERVAL_MS);
    parts.control.attach({
      stop: () => {
        this.#ending.abort();
        parts.apply.stop();
      },
      drain: () => this.#drain(),
      reload: (tables) => this.#reload(tables),
      retry: () => this.#retry(),
      revalidate: () => undefined,
      replan: () => parts.apply.fail(new AttemptOutdated()),
    });
  }

  /** From now on drains and the stop time count; before, the apply has nearer goals. */
  begin(): void {
    this.#begun = true;
    this.#started.resolve();
    this.#validation?.begin();
    const { stopRule, draining } = this.#parts.control;
    this.#retry();
    if (draining || this.#parts.attempt.spec.untilCaughtUp) this.#drain();
    if (stopRule.kind === "server-time") this.#waitFor(stopRule.timeMs);
  }

  /** Compares what is known by now, whatever ends the task: resolves when that has been, or cannot be. */
  async comparesRest(): Promise<void> {
    this.#validation?.begin();
    await this.#validation?.finished();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#parts.control.detach([...this.#queued].flat());
    this.#ending.abort();
    this.#started.resolve();
    this.#parts.apply.abandon();
    this.#parts.values.tellAll();
    await Promise.all([this.#beside.ended, this.#checked, this.#validation?.[Symbol.asyncDispose]()]);
  }

  #reload(tables: readonly TableId[]): void {
    const { apply, rules } = this.#parts;
    const attempt = this.#attempt;
    this.#queued.add(tables);
    const taken = (): void => {
      this.#queued.delete(tables);
    };
    const work = (): Promise<void> => reloadBeside({ attempt, apply, rules, tables, taken });
    this.#doBeside(tables, this.#beside.inTurn(work));
  }

  /**
   * Before begin() not all tables have their rows, or it is not known yet what the target refuses of them. Each time that
   * changes stand still for it is a turn of its own: a table that is to be loaded again need not wait for all of them.
   */
  #retry(): void {
    const { apply, applier, control } = this.#parts;
    const book = control.retries;
    if (!this.#begun || book.wanted === undefined) return;
    const attempt = this.#attempt;
    const stand = standAmongChanges(attempt, apply, (work) => this.#beside.inTurn(work));
    const compared = async (tables: readonly TableId[] | undefined): Promise<void> =>
      this.#validation?.wholesEnded(tables);
    this.#retries = this.#retries.then(() =>
      fulfilWish({ attempt, applier, book, stand, overwrites: true, compared }),
    );
    this.#doBeside([], this.#retries);
  }

  get #attempt(): Attempt {
    return { ...this.#parts.attempt, signal: this.signal };
  }

  #doBeside(tables: readonly TableId[], work: Promise<void>): void {
    const { reloads } = this.#parts;
    reloads.add(tables);
    void this.#beside.do(work.finally(() => reloads.delete(tables)));
  }

  #checkStream(): void {
    const { attempt, apply, watch, values, reloads } = this.#parts;
    const { source } = attempt;
    values.tellFirst();
    const { signal } = this;
    // One that waits for the stream may take longer than to the next.
    if (this.#checking) return;
    this.#checking = true;
    const passes = async (): Promise<void> => {
      const position = await source.currentPosition(signal);
      signal.throwIfAborted();
      await apply.between(async () => undefined, position);
    };
    this.#checked = watch
      .check({ takesNew: reloads.size === 0, passes, signal })
      .then(() => source.checkStream(publishedTables(attempt), signal))
      .catch((error) => {
        if (!signal.aborted) apply.fail(error);
      })
      .finally(() => {
        this.#checking = false;
      });
  }

  #drain(): void {
    if (!this.#begun) return;
    const { attempt, apply, control } = this.#parts;
    // A table that is being loaded again would be left half done, and one that is not compared not known.
    this.#beside.ended
      .then(() => (this.timeReached ? undefined : this.#validation?.finished()))
      .then(() => attempt.source.currentPosition(this.signal))
      .then(
        (position) => apply.setGoal({ ...goalLimit(control.stopRule), position }),
        (error) => {
          if (!this.signal.aborted) apply.fail(error);
        },
      );
  }

  /** In pieces: timers are limited to 2^31 ms, and the clock may be set meanwhile. */
  #waitFor(timeMs: number): void {
    const left = timeMs - Date.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#waitFor(timeMs), Math.min(left, CLOCK_CHECK_MS));
      return;
    }
    this.timeReached = true;
    this.#drain();
  }
}
