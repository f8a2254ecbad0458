import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../test/support/eventually.ts";
import type { Random } from "./random.ts";
import { beatOf, type World } from "./world.ts";

export interface FaultRequest {
  readonly world: World;
  /** How long what lasts for a while lasts. */
  readonly holdMs: number;
  readonly random: Random;
}

/**
 * Does something to the world and resolves with what was seen of it, when what caused it is over; what Tideway
 * makes of it may go on. Throws when it cannot be seen to have happened.
 */
export type Fault = (request: FaultRequest) => Promise<string>;

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** The time that a fault lasts. */
export async function hold(milliseconds: number): Promise<void> {
  await delay(milliseconds);
}

/** Resolves when nothing has arrived on the target for so long: nothing gets through. */
export async function untilStill({ target }: World, milliseconds: number): Promise<void> {
  let last: number | undefined;
  let sinceMs = performance.now();
  await eventually("changes to stop arriving on the target", async () => {
    const beat = await beatOf(target);
    if (beat !== last) sinceMs = performance.now();
    last = beat;
    return performance.now() - sinceMs >= milliseconds;
  });
}
