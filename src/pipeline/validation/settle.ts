import { type Candidate, NO_ROWS, type RowState } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import { type Constant, FOLLOW_MS, inAnotherRound, isDecided } from "./constant.ts";
import type { TargetPlace } from "./target-place.ts";

/** Reads what a side has of candidates now, by their ids; one that it has nothing of may be left out. */
export type ReadStates = (
  side: SideName,
  candidates: readonly Candidate[],
) => Promise<ReadonlyMap<string, RowState>>;

export interface Settled {
  /** undecided: the row is written faster than it can be read. */
  readonly verdict: "same" | "different" | "undecided";
  readonly candidate: Candidate;
  /** What each side has had of it in the end. */
  readonly source: RowState;
  readonly target: RowState;
  /** Into the compared columns: those that differ in a row that both sides have. */
  readonly columns: readonly number[];
}

/** What each side had when it was scanned, by the candidates' ids. */
export interface ScannedStates {
  readonly source: ReadonlyMap<string, RowState>;
  readonly target: ReadonlyMap<string, RowState>;
  readonly atMs: number;
}

export interface SettleContext {
  readonly read: ReadStates;
  readonly place: TargetPlace;
  /** Counts as a round. Left out: that is not known. */
  readonly scanned?: ScannedStates;
  readonly signal: AbortSignal;
  /** performance.now() when left out. */
  readonly clock?: () => number;
}

/** A row of which nothing stays is followed for so many rounds when reading it takes its time. */
const LEAST_ROUNDS = 3;
const MOST_WATCHED = 200;
const READS_IN_A_ROW = 20;
const WATCH_MS = 5_000;

/**
 * Decides about rows that seemed to differ while both sides may change. In rounds:
 *
 *     source's row    the target's place passes what the source had committed    target's row    source's row
 *
 * The row is the same when the target has what the source has in that round: then it has come. It is different when the
 * target's row, or a column of it, stays as it is for as long as the place asks for, and the source has another each time:
 * whatever is written to the row meanwhile would have come, too. So it is when the source's row stays, and the target has
 * another each time.
 */
export async function* settle(
  candidates: readonly Candidate[],
  { read, place, signal, scanned, clock = () => performance.now() }: SettleContext,
): AsyncGenerator<Settled> {
  const followed = new Map(candidates.map((candidate) => [candidate.id, new FollowedRow(candidate)]));
  const startedMs = clock();
  if (scanned !== undefined) {
    // Where nobody follows the source, a row may have come since the scan, and be late with another change now.
    const nowMs = place.isFollowed === true ? scanned.atMs : startedMs;
    for (const [id, row] of followed) {
      const source = scanned.source.get(id) ?? NO_ROWS;
      const target = scanned.target.get(id) ?? NO_ROWS;
      const scan = { before: source, target, after: source, isScan: true } as const;
      row.round({ ...scan, nowMs, turns: place.turns });
    }
  }
  const states = (side: SideName, rows: Iterable<FollowedRow> = followed.values()): ReturnType<ReadStates> =>
    read(
      side,
      Array.from(rows, ({ candidate }) => candidate),
    );
  let before = await states("source");
  for (let round = 1; followed.size > 0; round++) {
    await place.passed(signal);
    const watched = round > 2 ? [...followed.values()].filter((row) => row.isToWatch(place, clock())) : [];
    if (watched.length > 0 && watched.length <= MOST_WATCHED) await watch(watched, states, clock);
    const target = await states("target");
    const after = await states("source");
    const nowMs = clock();
    const isLate = round >= LEAST_ROUNDS && nowMs - startedMs > FOLLOW_MS;
    for (const [id, row] of followed) {
      row.round({
        before: before.get(id) ?? NO_ROWS,
        target: target.get(id) ?? NO_ROWS,
        after: after.get(id) ?? NO_ROWS,
        ...{ nowMs, turns: place.turns },
      });
      const verdict = row.verdict(place, nowMs) ?? (isLate && !row.hasStayed ? "undecided" : undefined);
      if (verdict === undefined) continue;
      followed.delete(id);
      yield row.settled(verdict, place, nowMs);
    }
    before = after;
  }
}

/**
 * A row that is written many times between two rounds hardly ever shows the same on both sides. So few rows are read in quick
 * succession on both at once: then the target has at some time what the source has had at another.
 */
async function watch(
  rows: readonly FollowedRow[],
  states: (side: SideName, rows: Iterable<FollowedRow>) => ReturnType<ReadStates>,
  clock: () => number,
): Promise<void> {
  const untilMs = clock() + WATCH_MS;
  const side = async (name: SideName): Promise<void> => {
    for (let left = READS_IN_A_ROW; left > 0 && clock() < untilMs; left--) {
      const read = await states(name, rows);
      for (const row of rows) row.saw(name, read.get(row.candidate.id) ?? NO_ROWS);
    }
  };
  await Promise.all([side("source"), side("target")]);
}

interface Round {
  readonly before: RowState;
  readonly target: RowState;
  readonly after: RowState;
  readonly nowMs: number;
  /** See TargetPlace. */
  readonly turns: number | undefined;
  /** It has been hours: that the source has the same again does not say that it has stayed. */
  readonly isScan?: true;
}

/** Stand for the row as a whole, or that there is none, beside the target's columns. */
const TARGET_ROW = -1;
const SOURCE_ROW = -2;

class FollowedRow {
  readonly candidate: Candidate;
  /** What either side has had in this round, when it is watched. */
  #seen: Readonly<Record<SideName, Set<string>>> | undefined;
  #isSame = false;
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
    const constants = new Map<number, Constant>();
    for (const [part, text] of differing(round)) {
      constants.set(part, inAnotherRound(this.#constants.get(part), { text, turns, nowMs }));
    }
    this.#constants = constants;
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

  verdict(place: TargetPlace, nowMs: number): "same" | "different" | undefined {
    if (this.#isSame) return "same";
    return this.#decided(place, nowMs).length > 0 ? "different" : undefined;
  }

  settled(verdict: Settled["verdict"], place: TargetPlace, nowMs: number): Settled {
    const [source, target] = [this.#source, this.#target];
    const stayed = this.#decided(place, nowMs).filter((part) => part >= 0);
    const other = target.prints?.flatMap((text, column) =>
      source.prints?.[column] === text ? [] : [column],
    );
    const columns = stayed.length > 0 || source.prints === undefined ? stayed : (other ?? []);
    return { verdict, columns, candidate: this.candidate, source, target };
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
