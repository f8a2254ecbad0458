import type { TargetPlace } from "./target-place.ts";

/** Something that has been found the same for some rounds. */
export interface Constant {
  readonly text: string;
  readonly rounds: number;
  readonly sinceMs: number;
  /** See TargetPlace. */
  readonly turns: number | undefined;
}

/** What is found in a round: what is known goes on where it has stayed, and where it is known in the same way. */
export function inAnotherRound(
  known: Constant | undefined,
  { text, turns, nowMs }: Pick<Constant, "text" | "turns"> & { readonly nowMs: number },
): Constant {
  if (known === undefined || known.text !== text || known.turns !== turns)
    return { text, turns, rounds: 1, sinceMs: nowMs };
  return { ...known, rounds: known.rounds + 1 };
}

/** Whether it has stayed for as long as the place asks for. */
export function isDecided({ rounds, sinceMs }: Constant, place: TargetPlace, nowMs: number): boolean {
  return place.decides({ rounds, ms: nowMs - sinceMs, nowMs });
}

/** What never stays is followed for so long. */
export const FOLLOW_MS = 120_000;
