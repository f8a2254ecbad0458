import type { SideName } from "./compared-side.ts";
import { type Constant, FOLLOW_MS, inAnotherRound, isDecided } from "./constant.ts";
import type { TargetPlace } from "./target-place.ts";

export interface SurplusContext {
  /** How many rows a side has now. */
  readonly count: (side: SideName) => Promise<number>;
  readonly place: TargetPlace;
  /** How many rows more the source has by what has been told already. */
  readonly told: number;
  readonly signal: AbortSignal;
}

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
  let sign: Constant | undefined;
  for (;;) {
    await place.passed(signal);
    const target = (await count("target")) + told;
    const source = await count("source");
    least = Math.min(least, source);
    most = Math.max(most, source);
    const surplus = target < least ? least - target : Math.min(0, most - target);
    if (surplus === 0) return 0;
    const nowMs = performance.now();
    sign = inAnotherRound(sign, { text: String(Math.sign(surplus)), turns: place.turns, nowMs });
    if (isDecided(sign, place, nowMs)) return surplus;
    if (sign.rounds === 1 && nowMs - startedMs > FOLLOW_MS) return undefined;
  }
}
