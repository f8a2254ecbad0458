import { type Candidate, NO_ROWS, type RowState } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import type { TargetPlace } from "./target-place.ts";

/** Reads what a side has of candidates now, by their ids; one that it has nothing of may be left out. */
export type ReadStates = (
  side: SideName,
  candidates: readonly Candidate[],
  signal: AbortSignal,
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
}

/** A row that is written all the time is followed for so long. */
const FOLLOW_MS = 120_000;
/** Of what the source has had of a row, so much is kept to be met by the target. */
const MOST_SEEN = 1_000;
const MOST_WATCHED = 200;
const READS_IN_A_ROW = 20;

/**
 * Decides about rows that seemed to differ while both sides may change. In rounds:
 *
 *     source's row    the target's place passes what the source had committed    target's row    source's row
 *
 * The row is the same when the target has what the source has had since the first round: then it has come. It is different
 * when the target's row, or a column of it, stays as it is for as long as the place asks for, and the source has another
 * each time: whatever is written to the row meanwhile would have come, too.
 */
export async function* settle(
  candidates: readonly Candidate[],
  { read, place, signal, scanned }: SettleContext,
): AsyncGenerator<Settled> {
  const followed = new Map(candidates.map((candidate) => [candidate.id, new FollowedRow(candidate)]));
  if (scanned !== undefined) {
    for (const [id, row] of followed) {
      const source = scanned.source.get(id) ?? NO_ROWS;
      const target = scanned.target.get(id) ?? NO_ROWS;
      row.round({ before: source, target, after: source, nowMs: scanned.atMs });
    }
  }
  const states = (side: SideName): ReturnType<ReadStates> =>
    read(
      side,
      Array.from(followed.values(), ({ candidate }) => candidate),
      signal,
    );
  const startedMs = performance.now();
  let before = await states("source");
  for (let round = 1; followed.size > 0; round++) {
    await place.passed(signal);
    if (round > 2 && followed.size <= MOST_WATCHED) await watch(followed, states);
    const target = await states("target");
    const after = await states("source");
    const nowMs = performance.now();
    const isLate = nowMs - startedMs > FOLLOW_MS;
    for (const [id, row] of followed) {
      row.round({
        before: before.get(id) ?? NO_ROWS,
        target: target.get(id) ?? NO_ROWS,
        after: after.get(id) ?? NO_ROWS,
        nowMs,
      });
      const verdict = row.verdict(place, nowMs) ?? (isLate ? "undecided" : undefined);
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
  followed: ReadonlyMap<string, FollowedRow>,
  states: (side: SideName) => ReturnType<ReadStates>,
): Promise<void> {
  const side = async (name: SideName): Promise<void> => {
    for (let left = READS_IN_A_ROW; left > 0; left--) {
      const read = await states(name);
      for (const [id, row] of followed) row.saw(name, read.get(id) ?? NO_ROWS);
    }
  };
  await Promise.all([side("source"), side("target")]);
}

interface Round {
  readonly before: RowState;
  readonly target: RowState;
  readonly after: RowState;
  readonly nowMs: number;
}

/** Something of the target's row that has stayed the same for some rounds, in which the source had another. */
interface Constant {
  readonly target: string;
  readonly sinceMs: number;
  rounds: number;
}

/** Stands for the row as a whole, or that there is none, beside its columns. */
const WHOLE_ROW = -1;

class FollowedRow {
  readonly candidate: Candidate;
  /** What either side has had. */
  readonly #seen = { source: new Set<string>(), target: new Set<string>() };
  #constants = new Map<number, Constant>();
  #isSame = false;
  #source = NO_ROWS;
  #target = NO_ROWS;

  constructor(candidate: Candidate) {
    this.candidate = candidate;
  }

  saw(side: SideName, { text }: RowState): void {
    const other = side === "source" ? "target" : "source";
    this.#isSame ||= this.#seen[other].has(text);
    if (this.#seen[side].size < MOST_SEEN) this.#seen[side].add(text);
  }

  round({ before, target, after, nowMs }: Round): void {
    this.#source = after;
    this.#target = target;
    this.saw("source", before);
    this.saw("source", after);
    this.saw("target", target);
    const was = this.#constants;
    this.#constants = new Map();
    for (const [part, text] of differing(before, target, after)) {
      const known = was.get(part);
      const constant = known?.target === text ? known : { target: text, sinceMs: nowMs, rounds: 0 };
      constant.rounds++;
      this.#constants.set(part, constant);
    }
  }

  verdict(place: TargetPlace, nowMs: number): "same" | "different" | undefined {
    if (this.#isSame) return "same";
    return this.#decided(place, nowMs).length > 0 ? "different" : undefined;
  }

  settled(verdict: Settled["verdict"], place: TargetPlace, nowMs: number): Settled {
    const columns = this.#decided(place, nowMs).filter((part) => part !== WHOLE_ROW);
    return { verdict, columns, candidate: this.candidate, source: this.#source, target: this.#target };
  }

  #decided(place: TargetPlace, nowMs: number): readonly number[] {
    return [...this.#constants].flatMap(([part, { rounds, sinceMs }]) =>
      place.decides({ rounds, ms: nowMs - sinceMs }) ? [part] : [],
    );
  }
}

/** What of the target's row neither of the source's has. */
function* differing(before: RowState, target: RowState, after: RowState): Generator<[number, string]> {
  if (before.text !== target.text && after.text !== target.text) yield [WHOLE_ROW, target.text];
  for (const [column, text] of target.prints?.entries() ?? []) {
    const isOther = ({ prints }: RowState): boolean => prints !== undefined && prints[column] !== text;
    if (isOther(before) && isOther(after)) yield [column, text];
  }
}
