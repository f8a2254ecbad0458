import { Random } from "./random.ts";

/** What is done to the migration while the application writes. soak/faults.ts says how. */
export const faultNames = [
  "worker-killed",
  "worker-killed-in-reload",
  "worker-frozen",
  "service-killed",
  "service-stopped",
  "data-disk-full",
  "task-stopped",
  "table-reloaded",
  "source-crashed",
  "target-crashed",
  "source-reset",
  "target-reset",
  "source-dark",
  "target-dark",
  "source-slow",
  "target-slow",
  "source-forgotten",
  "target-forgotten",
  "source-sessions-ended",
  "target-sessions-ended",
  "target-statement-cancelled",
  "target-locked",
] as const;

export type FaultName = (typeof faultNames)[number];

export function isFaultName(text: string): text is FaultName {
  return (faultNames as readonly string[]).includes(text);
}

export interface PlannedFault {
  readonly name: FaultName;
  /** Decides what the fault has to choose, such as a table. */
  readonly random: Random;
}

/**
 * Faults without end, the same for the same names and seed. Each comes once in a round, so that none is
 * left out of a long run, and every round has another order.
 */
export function* faultPlan(names: readonly FaultName[], seed: number): Generator<PlannedFault, never> {
  if (names.length === 0) throw new Error("There is no fault to plan.");
  const random = new Random(seed);
  for (;;) {
    for (const name of random.shuffled(names)) {
      yield { name, random: new Random(Math.floor(random.next() * 2 ** 32)) };
    }
  }
}
