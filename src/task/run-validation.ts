import { Backoff, pause } from "../base/backoff.ts";
import { asMigrationError } from "../core/error.ts";
import type { TableId } from "../core/schema.ts";
import { TimedPlace } from "../pipeline/validation/target-place.ts";
import type { TargetPlaces } from "../pipeline/validation/validate.ts";
import type { Attempt } from "./attempt.ts";
import { ChangedComparisons } from "./changed-comparisons.ts";
import type { RowBringers } from "./row-bringers.ts";
import { onePlace } from "./target-places.ts";
import type { ValidationBook } from "./validation-book.ts";
import type { ValidationGoal } from "./validation-goal.ts";
import { type ComparisonParts, untilNextLook, WholeComparisons } from "./whole-comparisons.ts";

export interface ValidationParts {
  readonly attempt: Attempt;
  readonly book: ValidationBook;
}

/**
 * Compares a task's tables beside its changes: each whole, and then the rows that changes concern. What goes wrong with it
 * is no error of the task: it is tried again.
 */
export class ValidationBesideChanges implements AsyncDisposable {
  readonly #parts: ValidationParts;
  readonly #bringers: RowBringers;
  readonly #signal: AbortSignal;
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  readonly #goals = new Set<{ readonly of: ValidationGoal; readonly reached: () => void }>();
  /** Retries have come to their end: now and then it is tried once more, and nobody waits for it. */
  #isGivenUp = false;

  constructor(parts: ValidationParts, bringers: RowBringers) {
    this.#parts = parts;
    this.#bringers = bringers;
    this.#signal = parts.attempt.signal;
    this.#ended = this.#begun.promise
      .then(() =>
        trying(
          parts,
          this.#signal,
          () => this.#session(),
          () => {
            this.#isGivenUp = true;
            for (const { reached } of this.#goals) reached();
          },
        ),
      )
      .catch(() => undefined);
  }

  /** All tables show one moment, and the changes up to it are applied. */
  begin(): void {
    this.#begun.resolve();
  }

  /** Resolves when all that is known to be compared by now has been, or cannot be; rejects when it is ended before. */
  async finished(): Promise<void> {
    if (!this.#isGivenUp) await this.#reached(this.#parts.book.goal());
  }

  /** The same of the comparisons of whole tables alone, of these or of all: also of those that somebody has asked for by now. */
  async wholesEnded(tables: readonly TableId[] | undefined): Promise<void> {
    if (this.#isGivenUp) return;
    await takeWishes(this.#parts, this.#signal);
    await this.#reached(this.#parts.book.wholeGoal(tables));
  }

  /** To be called when the attempt's signal has ended it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#begun.resolve();
    await this.#ended;
  }

  async #reached(of: ValidationGoal): Promise<void> {
    const done = Promise.withResolvers<void>();
    const goal = { of, reached: done.resolve };
    const ended = (): void => done.reject(this.#signal.reason);
    this.#signal.addEventListener("abort", ended, { once: true });
    if (this.#signal.aborted) ended();
    this.#goals.add(goal);
    try {
      await done.promise;
    } finally {
      this.#goals.delete(goal);
      this.#signal.removeEventListener("abort", ended);
    }
  }

  async #session(): Promise<void> {
    const { attempt, book } = this.#parts;
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#signal, ending.signal]);
    await using target = await attempt.readTarget(signal);
    const parts: ComparisonParts = {
      ...{ attempt, book, target, places: this.#bringers.places, follows: true, signal },
      isReady: (table) => this.#bringers.isReady(table),
    };
    await this.#look(parts);
    const wholes = new WholeComparisons(parts);
    const changed = new ChangedComparisons(parts);
    const looks = async (): Promise<void> => {
      for (;;) {
        await takeWishes(this.#parts, signal);
        await this.#look(parts);
        await changed.beginSome();
        await book.record({ ...attempt, signal });
        for (const { of, reached } of this.#goals) {
          if (of.isReached((table) => attempt.errors.isSuspended(table))) reached();
        }
        await untilNextLook(signal);
      }
    };
    const compares = async (): Promise<void> => {
      for (;;) if (!(await wholes.compareSome(this.#goals.size > 0))) await untilNextLook(signal);
    };
    const endsBoth = (error: unknown): never => {
      ending.abort(error);
      throw error;
    };
    const results = await Promise.allSettled([looks().catch(endsBoth), compares().catch(endsBoth)]);
    await changed.ended();
    throw ending.signal.reason ?? (results[0] as PromiseRejectedResult).reason;
  }

  async #look({ attempt, book, target, signal }: ComparisonParts): Promise<void> {
    const outdated = (await this.#bringers.look?.(target, signal)) ?? [];
    if (outdated.length > 0) await book.anew(outdated, attempt.journal, signal);
  }
}

/** Compares all tables of a full load that no changes follow, if that is asked for; resolves when that is done, or cannot be. */
export async function validateLoaded(attempt: Attempt): Promise<void> {
  const { validation: book, signal } = attempt;
  if (book === undefined) return;
  const parts = { attempt, book };
  await book.begin(attempt);
  attempt.statistics.setPhase("validating");
  let isGivenUp = false;
  await trying(
    parts,
    signal,
    // Nobody brings rows any more.
    () => compareAll(parts, onePlace(new TimedPlace(0))),
    () => {
      isGivenUp = true;
    },
    () => isGivenUp,
  );
}

/** Compares each table whole that is to be, until none is. */
export async function compareAll({ attempt, book }: ValidationParts, places: TargetPlaces): Promise<void> {
  const { signal } = attempt;
  await using target = await attempt.readTarget(signal);
  const wholes = new WholeComparisons({
    ...{ attempt, book, target, places, isReady: () => true, follows: false, signal },
  });
  do {
    await book.record({ ...attempt, signal });
    await takeWishes({ attempt, book }, signal);
  } while (await wholes.compareSome(true));
}

async function takeWishes({ attempt, book }: ValidationParts, signal: AbortSignal): Promise<void> {
  const { wanted } = book.wishes;
  if (wanted.length === 0) return;
  await book.anew(wanted, attempt.journal, signal);
  for (const id of wanted) book.wishes.answered(id);
}

/**
 * Does something until it is done. What goes wrong is tried again, as often as the task's settings say; then `gaveUp` is called,
 * and it goes on in long intervals unless `ends`.
 */
async function trying(
  { attempt, book }: ValidationParts,
  signal: AbortSignal,
  session: () => Promise<void>,
  gaveUp: () => void,
  ends: () => boolean = () => false,
): Promise<void> {
  const limits = attempt.settings.recoverableErrors;
  const backoff = new Backoff(limits);
  for (;;) {
    const startedMs = performance.now();
    try {
      return await session();
    } catch (thrown) {
      signal.throwIfAborted();
      const { code, message, retry } = asMigrationError(thrown);
      if (performance.now() - startedMs > LASTING_MS) backoff.reset();
      const wait = retry === "never" ? undefined : backoff.failed();
      if (wait === undefined) gaveUp();
      const delayMs = wait ?? limits.longestDelayMs;
      attempt.listener.log("warn", "validation interrupted", { code, reason: message, delayMs });
      book.interrupted(`${code}: ${message}`);
      if (ends()) return;
      await pause(delayMs, signal);
    }
  }
}

/** What lasted this long has worked: earlier failures no longer count. */
const LASTING_MS = 60_000;
