import { type Candidate, NO_ROWS, type RowState } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import { type Constant, inAnotherRound, isDecided } from "./constant.ts";
import type { TargetPlace } from "./target-place.ts";

/** undecided: the row is written faster than it can be read. */
export type Verdict = "same" | "different" | "undecided";

export interface Settled {
  readonly verdict: Verdict;
  readonly candidate: Candidate;
  /** What each side has had of it in the end. */
  readonly source: RowState;
  readonly target: RowState;
  /** Into the compared columns: those that differ in a row that both sides have. */
  readonly columns: readonly number[];
}

export interface Round {
  readonly before: RowState;
  readonly target: RowState;
  readonly after: RowState;
  readonly nowMs: number;
  /** See TargetPlace. */
  readonly turns: number | undefined;
  /** It has been hours: that the source has the same again does not say that it has stayed. */
  readonly isScan?: true;
}

/** The end of a round. */
export interface Moment {
  /** See performance.now(). */
  readonly nowMs: number;
  readonly isLate: boolean;
}

/** Stand for the row as a whole, or that there is none, beside the target's columns. */
const TARGET_ROW = -1;
const SOURCE_ROW = -2;

/** What the source has had of a row is remembered up to so many texts. */
const MOST_REMEMBERED = 10_000;
/** A target that has come so often to what the source had before brings the row's changes. */
const OFTEN = 2;

/** A row over some rounds, of which it is decided whether it is the same on both sides. */
export class FollowedRow {
  readonly candidate: Candidate;
  /** What either side has had in this round, when it is watched. */
  #seen: Readonly<Record<SideName, Set<string>>> | undefined;
  #isSame = false;
  /** What the source has had since the row is followed. */
  readonly #had = new Set<string>();
  /** How often the target has changed to what the source had had. */
  #comings = 0;
  #last: string | undefined;
  /** What of one side's row has stayed the same for some rounds, in which the other had another. */
  #constants: ReadonlyMap<number, Constant> = new Map();
  #source = NO_ROWS;
  #target = NO_ROWS;

  constructor(candidate: Candidate) {
    this.candidate = candidate;
  }

  saw(side: SideName, { text }: RowState): void {
    const other = side === "source" ? "target" : "source";
    this.#seen ??= { source: new Set(), target: new Set() };
    this.#isSame ||= this.#seen[other].has(text);
    this.#seen[side].add(text);
    this.#note(side, text);
  }

  round(round: Round): void {
    const { before, target, after, nowMs, turns } = round;
    this.#source = after;
    this.#target = target;
    this.#isSame ||= target.text === before.text || target.text === after.text;
    if (this.#seen !== undefined) {
      this.saw("source", before);
      this.saw("source", after);
      this.saw("target", target);
      this.#seen = undefined;
    }
    this.#note("source", before.text);
    this.#note("target", target.text);
    this.#note("source", after.text);
    const constants = new Map<number, Constant>();
    for (const [part, text] of differing(round)) {
      constants.set(part, inAnotherRound(this.#constants.get(part), { text, turns, nowMs }));
    }
    this.#constants = constants;
  }

  /** Both sides have had the same in a round: so it is decided. */
  get hasBeenSame(): boolean {
    return this.#isSame;
  }

  /** Something has stayed since the round before: that ends in a verdict. */
  get hasStayed(): boolean {
    return [...this.#constants.values()].some(({ rounds }) => rounds > 1);
  }

  /** What stays is watched before it is decided about: a row may change between two values, and have been read with each by chance. */
  isToWatch(place: TargetPlace, nowMs: number): boolean {
    if (!this.hasStayed) return true;
    return [...this.#constants.values()].some((constant) =>
      isDecided({ ...constant, rounds: constant.rounds + 1 }, place, nowMs),
    );
  }

  /** Undefined while it has to be looked at again. `isLate`: it has been followed for as long as any row is. */
  verdict(place: TargetPlace, { nowMs, isLate }: Moment): Verdict | undefined {
    if (this.#isSame) return "same";
    if (this.#decided(place, nowMs).length > 0) return "different";
    if (this.hasStayed) return undefined;
    if (this.#comings >= OFTEN) return "same";
    return isLate ? "undecided" : undefined;
  }

  settled(verdict: Verdict, place: TargetPlace, nowMs: number): Settled {
    const [source, target] = [this.#source, this.#target];
    const stayed = this.#decided(place, nowMs).filter((part) => part >= 0);
    const other = target.prints?.flatMap((text, column) =>
      source.prints?.[column] === text ? [] : [column],
    );
    const columns = stayed.length > 0 || source.prints === undefined ? stayed : (other ?? []);
    return { verdict, columns, candidate: this.candidate, source, target };
  }

  /**
   * A target that is further behind than a round lasts has never what the source has in that round. It counts when it changes to
   * what the source had before, as long as nothing stays: one that has stayed behind does not go on so.
   */
  #note(side: SideName, text: string): void {
    if (side === "source") {
      if (this.#had.size < MOST_REMEMBERED) this.#had.add(text);
      return;
    }
    if (this.#last !== undefined && this.#last !== text && this.#had.has(text)) this.#comings++;
    this.#last = text;
  }

  #decided(place: TargetPlace, nowMs: number): readonly number[] {
    return [...this.#constants].flatMap(([part, constant]) =>
      isDecided(constant, place, nowMs) ? [part] : [],
    );
  }
}

/** What of one side's row the other has not. */
function* differing({ before, target, after, isScan }: Round): Generator<[number, string]> {
  if (before.text !== target.text && after.text !== target.text) {
    yield [TARGET_ROW, target.text];
    if (before.text === after.text && isScan !== true) yield [SOURCE_ROW, after.text];
  }
  for (const [column, text] of target.prints?.entries() ?? []) {
    const isOther = ({ prints }: RowState): boolean => prints !== undefined && prints[column] !== text;
    if (isOther(before) && isOther(after)) yield [column, text];
  }
}
