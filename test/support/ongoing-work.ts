import { setTimeout as delay } from "node:timers/promises";

/** Goes on until it is disposed of. Whoever does that waits for its end, and gets to know of what went wrong. */
export class OngoingWork implements AsyncDisposable {
  readonly #work: Promise<void>;
  #isOn = true;

  constructor(work: (isOn: () => boolean) => Promise<void>) {
    this.#work = work(() => this.#isOn);
    this.#work.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOn = false;
    await this.#work;
  }
}

/** Between steps: an application that writes more than a task applies would be waited for at the end. */
const PACE_MS = 20;

/** Work that goes on step by step, each known by its number. */
export function inSteps(step: (i: number) => Promise<unknown>): (isOn: () => boolean) => Promise<void> {
  return async (isOn) => {
    for (let i = 0; isOn(); i++) {
      await step(i);
      await delay(PACE_MS);
    }
  };
}
