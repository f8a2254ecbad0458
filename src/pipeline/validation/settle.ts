import { type Candidate, NO_ROWS, type RowState } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import { FOLLOW_MS } from "./constant.ts";
import { FollowedRow, type Settled } from "./followed-row.ts";
import type { TargetPlace } from "./target-place.ts";

/** Reads what a side has of candidates now, by their ids; one that it has nothing of may be left out. */
export type ReadStates = (
  side: SideName,
  candidates: readonly Candidate[],
) => Promise<ReadonlyMap<string, RowState>>;

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
/** Rows of which nothing stays, when there are few of them. */
const MOST_READS_IN_A_ROW = 200;
const WATCH_MS = 5_000;

/** Whether a row of which nothing stays has been followed for long enough: so many rounds, and milliseconds. */
export function isLateAfter(rounds: number, ms: number): boolean {
  return rounds >= LEAST_ROUNDS && ms > FOLLOW_MS;
}

/**
 * Decides about rows that seemed to differ while both sides may change. In rounds:
 *
 *     source's row    the target's place passes what the source had committed    target's row    source's row
 *
 * The row is the same when the target has what the source has in that round: then it has come. It is different when the
 * target's row, or a column of it, stays as it is for as long as the place asks for, and the source has another each time:
 * whatever is written to the row meanwhile would have come, too. So it is when the source's row stays, and the target has
 * another each time. Where nothing stays, the row is the same when the target comes, time after time, to what the source had before.
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
    const moment = { nowMs, isLate: isLateAfter(round, nowMs - startedMs) };
    for (const [id, row] of followed) {
      row.round({
        before: before.get(id) ?? NO_ROWS,
        target: target.get(id) ?? NO_ROWS,
        after: after.get(id) ?? NO_ROWS,
        ...{ nowMs, turns: place.turns },
      });
      const verdict = row.verdict(place, moment);
      if (verdict === undefined) continue;
      followed.delete(id);
      yield row.settled(verdict, place, nowMs);
    }
    before = after;
  }
}

/**
 * A row that is written many times between two rounds hardly ever shows the same on both sides. So few rows are read in quick
 * succession on both at once: then the target has at some time what the source has had at another. Those of which nothing stays
 * are read on, until they have been the same.
 */
async function watch(
  rows: readonly FollowedRow[],
  states: (side: SideName, rows: Iterable<FollowedRow>) => ReturnType<ReadStates>,
  clock: () => number,
): Promise<void> {
  const untilMs = clock() + WATCH_MS;
  const restless = rows.filter((row) => !row.hasStayed);
  const most = Math.min(MOST_READS_IN_A_ROW, Math.floor((READS_IN_A_ROW * MOST_WATCHED) / rows.length));
  const side = async (name: SideName): Promise<void> => {
    for (let reads = 0; reads < most && clock() < untilMs; reads++) {
      const some = (reads < READS_IN_A_ROW ? rows : restless).filter((row) => !row.hasBeenSame);
      if (some.length === 0) return;
      const read = await states(name, some);
      for (const row of some) row.saw(name, read.get(row.candidate.id) ?? NO_ROWS);
    }
  };
  await Promise.all([side("source"), side("target")]);
}
