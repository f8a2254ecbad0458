import type { SideName } from "./compared-side.ts";
import type { TargetPlace } from "./target-place.ts";

export interface SurplusContext {
  /** How many rows a side has now. */
  readonly count: (side: SideName) => Promise<number>;
  readonly place: TargetPlace;
  /** How many rows more the source has by what has been told already. */
  readonly told: number;
  readonly signal: AbortSignal;
}

/** Numbers that never stay on one side are followed for so long. */
const FOLLOW_MS = 120_000;

/**
 * How many rows more the source has than the target, less where it has fewer; undefined where that cannot be decided. A row
 * without a key that is written all the time is another one whenever it is looked for. When the target lacks it, the target
 * still has one row too few. What the source writes meanwhile is no fault: a number that lies among those that the source has had is right.
 */
export async function settleSurplus({
  count,
  place,
  told,
  signal,
}: SurplusContext): Promise<number | undefined> {
  const startedMs = performance.now();
  let least = await count("source");
  let most = least;
  let known = { sign: 0, turns: place.turns, rounds: 0, sinceMs: startedMs };
  for (;;) {
    await place.passed(signal);
    const target = (await count("target")) + told;
    const source = await count("source");
    least = Math.min(least, source);
    most = Math.max(most, source);
    const surplus = target < least ? least - target : Math.min(0, most - target);
    if (surplus === 0) return 0;
    const nowMs = performance.now();
    const sign = Math.sign(surplus);
    const { turns } = place;
    if (sign !== known.sign || turns !== known.turns) known = { sign, turns, rounds: 0, sinceMs: nowMs };
    known.rounds++;
    if (place.decides({ rounds: known.rounds, ms: nowMs - known.sinceMs, nowMs })) return surplus;
    if (known.rounds === 1 && nowMs - startedMs > FOLLOW_MS) return undefined;
  }
}
