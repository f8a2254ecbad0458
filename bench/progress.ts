import type { BenchOptions } from "./options.ts";
import type { Profile } from "./profile.ts";

const USUAL_PAIRS = 3;

/** Lines that say what is being done and how long it may still take. */
export class Progress {
  readonly #say: (line: string) => void;
  /** Estimates of what has not begun, in minutes. */
  #waiting: readonly number[];
  #title = "";
  #begunMs = 0;
  #estimate = 0;
  #left = 0;

  constructor(options: BenchOptions, say: (line: string) => void) {
    this.#say = say;
    this.#waiting = options.profiles.flatMap((profile) =>
      options.scales.map((scale) => profile.minutes * share(options) * scale),
    );
  }

  begin(profile: Profile, scale: number): void {
    this.#title = scale === 1 ? profile.name : `${profile.name} x${scale}`;
    this.#begunMs = Date.now();
    [this.#estimate = 0] = this.#waiting;
    this.#left = this.#estimate;
    this.#waiting = this.#waiting.slice(1);
  }

  end(): void {
    this.#left = 0;
  }

  /** From the second run on what was measured counts, not the estimate. */
  done(runs: number, of: number): void {
    const elapsed = (Date.now() - this.#begunMs) / 60_000;
    this.#left = runs < 2 ? Math.max(0, this.#estimate - elapsed) : (elapsed / runs) * (of - runs);
  }

  say(line: string): void {
    const left = this.#left + this.#waiting.reduce((sum, minutes) => sum + minutes, 0);
    this.#say(
      `${new Date().toTimeString().slice(0, 8)}  ${this.#title}: ${line} (about ${inWords(left)} left)`,
    );
  }
}

function share({ pairs, peers }: BenchOptions): number {
  return (pairs / USUAL_PAIRS) * (peers === undefined ? 1 : 0.7);
}

function inWords(minutes: number): string {
  return minutes < 1.5 ? `${Math.max(5, Math.round(minutes * 12) * 5)} s` : `${Math.round(minutes)} min`;
}
