import { setTimeout as delay } from "node:timers/promises";
import type { FaultRequest } from "./fault.ts";
import { faultPlan } from "./fault-plan.ts";
import { faults } from "./faults.ts";
import type { SoakOptions } from "./options.ts";
import type { World } from "./world.ts";

/** Longest time of what lasts for a while; less where faults follow each other fast. */
const LONGEST_HOLD_MS = 8000;

/** One fault after the other until the time is over. */
export class Disturbance {
  readonly #options: SoakOptions;
  readonly #world: World;
  readonly #say: (line: string) => void;
  readonly #unseen: string[] = [];
  #count = 0;

  constructor(options: SoakOptions, world: World, say: (line: string) => void) {
    this.#options = options;
    this.#world = world;
    this.#say = say;
  }

  get count(): number {
    return this.#count;
  }

  /** Faults of which could not be seen that they happened, with why. */
  get unseen(): readonly string[] {
    return this.#unseen;
  }

  /** Resolves when the time is over and the last fault too. */
  async run(signal: AbortSignal): Promise<void> {
    const { minutes, everyS, seed, faults: names } = this.#options;
    const everyMs = everyS * 1000;
    const startMs = performance.now();
    const endMs = startMs + minutes * 60_000;
    const here = names.filter((name) => name !== "data-disk-full" || this.#world.disk !== undefined);
    const plan = faultPlan(here, seed);
    const holdMs = Math.min(LONGEST_HOLD_MS, everyMs * 0.4);
    for (let dueMs = startMs + everyMs; ; dueMs = nextDue(dueMs, everyMs)) {
      await delay(Math.max(0, Math.min(dueMs, endMs) - performance.now()), undefined, { signal });
      if (performance.now() >= endMs - everyMs / 2) break;
      const { name, random } = plan.next().value;
      await this.#fault(name, { world: this.#world, holdMs, random });
    }
    await delay(Math.max(0, endMs - performance.now()), undefined, { signal });
  }

  async #fault(name: keyof typeof faults, request: FaultRequest): Promise<void> {
    const number = ++this.#count;
    try {
      this.#say(`fault ${number}: ${name}: ${await faults[name](request)}`);
    } catch (error) {
      const text = `fault ${number}: ${name}: ${(error as Error).message}`;
      this.#unseen.push(text);
      this.#say(`${text} (NOT SEEN)`);
    }
  }
}

/** The next multiple of the interval that is still to come. */
function nextDue(dueMs: number, everyMs: number): number {
  const behind = Math.max(0, performance.now() - dueMs);
  return dueMs + everyMs * Math.max(1, Math.ceil(behind / everyMs));
}
