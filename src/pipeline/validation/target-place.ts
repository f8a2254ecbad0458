import { pause } from "../../base/backoff.ts";
import type { Position, PositionCodec } from "../../core/position.ts";

/** How often something has been found the same again. */
export interface Constancy {
  /** Rounds of reading both sides. */
  readonly rounds: number;
  /** Milliseconds from the first of them to now. */
  readonly ms: number;
  /** See performance.now(). */
  readonly nowMs: number;
}

/** How it is known that the target has had what the source had. */
export interface TargetPlace {
  /** Before the target is first read: waits a while for it to come to where the source is, so that less has to be settled. */
  begin(signal: AbortSignal): Promise<void>;
  /** Resolves once the target has all that the source had committed before the call, as far as that can be known. */
  passed(signal: AbortSignal): Promise<void>;
  /** How often it has become another way of knowing: rounds before that do not count together with those after it. Left out: never. */
  readonly turns?: number;
  /** Whether somebody brings the source's changes. Left out: nobody does. */
  readonly isFollowed?: boolean;
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

/** A row may have had a value, another one, and the first again, each time just when it was read. */
const ROUNDS = 6;
/** Where the source has committed nothing at all meanwhile it cannot. */
const STILL_ROUNDS = 3;

/** Where the source's log ends, and since when. */
export class LogEnd {
  readonly #positions: PositionCodec;
  #end: Position | undefined;
  #sinceMs = 0;

  constructor(positions: PositionCodec) {
    this.#positions = positions;
  }

  seen(end: Position): void {
    if (this.#end !== undefined && this.#positions.compare(this.#end, end) === 0) return;
    this.#end = end;
    this.#sinceMs = performance.now();
  }

  /** See TargetPlace.decides(), for a place that is told by the log. */
  decides({ rounds, ms, nowMs }: Constancy): boolean {
    const isStill = this.#sinceMs <= nowMs - ms;
    return rounds >= (isStill ? STILL_ROUNDS : ROUNDS);
  }
}

export interface FollowedTask {
  readonly positions: PositionCodec;
  /** The end of the source's log now. */
  end(signal: AbortSignal): Promise<Position>;
  /** Up to where the target has applied it, undefined for nothing yet; "left" while nobody works on the task. */
  applied(signal: AbortSignal): Promise<Position | undefined | "left">;
}

const POLL_MS = 100;
const BEGIN_LIMIT_MS = 30_000;

/** A task brings the source's changes, and records how far. */
export class FollowedPlace implements TargetPlace {
  readonly #task: FollowedTask;
  readonly #without: TargetPlace;
  #isFollowed = true;
  #turns = 0;
  readonly #end: LogEnd;

  /** `without`: what holds while nobody works on the task. */
  constructor(task: FollowedTask, without: TargetPlace) {
    this.#task = task;
    this.#without = without;
    this.#end = new LogEnd(task.positions);
  }

  get isFollowed(): boolean {
    return this.#isFollowed;
  }

  get turns(): number {
    return this.#turns;
  }

  async begin(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(BEGIN_LIMIT_MS);
    try {
      await this.passed(AbortSignal.any([signal, limit]));
    } catch (error) {
      if (signal.aborted || !limit.aborted) throw error;
    }
  }

  /** A task that was stopped may be started again, and one that is at work stopped. */
  async passed(signal: AbortSignal): Promise<void> {
    const isFollowed = await this.#hasPassed(signal);
    this.#isNow(isFollowed);
    if (!isFollowed) await this.#without.passed(signal);
  }

  /** Looks whether somebody works on the task now; nothing is waited for. */
  async look(signal: AbortSignal): Promise<void> {
    this.#isNow((await this.#task.applied(signal)) !== "left");
  }

  #isNow(isFollowed: boolean): void {
    if (isFollowed !== this.#isFollowed) this.#turns++;
    this.#isFollowed = isFollowed;
  }

  decides(constancy: Constancy): boolean {
    if (!this.#isFollowed) return this.#without.decides(constancy);
    return this.#end.decides(constancy);
  }

  async #hasPassed(signal: AbortSignal): Promise<boolean> {
    if ((await this.#task.applied(signal)) === "left") return false;
    const end = await this.#task.end(signal);
    this.#end.seen(end);
    return await this.#waitFor(end, signal);
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
