import { pause } from "../../base/backoff.ts";
import type { Position, PositionCodec } from "../../core/position.ts";

/** How often something has been found the same again. */
export interface Constancy {
  /** Rounds of reading both sides. */
  readonly rounds: number;
  /** Milliseconds from the first of them to now. */
  readonly ms: number;
}

/** How it is known that the target has had what the source had. */
export interface TargetPlace {
  /** Before the target is first read: waits a while for it to come to where the source is, so that less has to be settled. */
  begin(signal: AbortSignal): Promise<void>;
  /** Resolves once the target has all that the source had committed before the call, as far as that can be known. */
  passed(signal: AbortSignal): Promise<void>;
  /** Whether something that the source has, and the target has not, can be no matter of time any more. */
  decides(constancy: Constancy): boolean;
}

/** Nothing tells where the target stands: what stays as it is on both sides for some time counts. */
export class TimedPlace implements TargetPlace {
  readonly #settleMs: number;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  async begin(): Promise<void> {}

  async passed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const ms = Math.min(1_000, this.#settleMs / 2);
    if (ms > 0) await pause(ms, signal);
  }

  decides({ rounds, ms }: Constancy): boolean {
    return rounds >= 2 && ms >= this.#settleMs;
  }
}

export interface FollowedTask {
  readonly positions: PositionCodec;
  /** The end of the source's log now. */
  end(signal: AbortSignal): Promise<Position>;
  /** Up to where the target has applied it, undefined for nothing yet; "left" when nobody works on the task any more. */
  applied(signal: AbortSignal): Promise<Position | undefined | "left">;
}

const POLL_MS = 100;
const BEGIN_LIMIT_MS = 30_000;
/** A row may have had a value, another one, and the first again, each time just when it was read. */
const ROUNDS = 6;
/** Where the source has committed nothing at all meanwhile it cannot. */
const STILL_ROUNDS = 3;

/** A task brings the source's changes, and records how far. */
export class FollowedPlace implements TargetPlace {
  readonly #task: FollowedTask;
  readonly #without: TargetPlace;
  #isLeft = false;
  #end: Position | undefined;
  /** When the source's log has first been seen to end there. */
  #endMs = 0;

  /** `without`: what holds when nobody works on the task any more. */
  constructor(task: FollowedTask, without: TargetPlace) {
    this.#task = task;
    this.#without = without;
  }

  async begin(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(BEGIN_LIMIT_MS);
    try {
      await this.passed(AbortSignal.any([signal, limit]));
    } catch (error) {
      if (signal.aborted || !limit.aborted) throw error;
    }
  }

  async passed(signal: AbortSignal): Promise<void> {
    const { positions } = this.#task;
    if (!this.#isLeft) {
      const end = await this.#task.end(signal);
      if (this.#end === undefined || positions.compare(this.#end, end) !== 0) {
        this.#end = end;
        this.#endMs = performance.now();
      }
      if (await this.#waitFor(end, signal)) return;
      this.#isLeft = true;
    }
    await this.#without.passed(signal);
  }

  decides(constancy: Constancy): boolean {
    if (this.#isLeft) return this.#without.decides(constancy);
    const isStill = performance.now() - this.#endMs >= constancy.ms;
    return constancy.rounds >= (isStill ? STILL_ROUNDS : ROUNDS);
  }

  /** Whether the task has come there; else it has been left. */
  async #waitFor(end: Position, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const applied = await this.#task.applied(signal);
      if (applied === "left") return false;
      const order = applied === undefined ? undefined : this.#task.positions.compare(applied, end);
      if (order !== undefined && order >= 0) return true;
      await pause(POLL_MS, signal);
    }
  }
}
