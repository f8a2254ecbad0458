import type { Position, PositionCodec } from "../../core/position.ts";
import { type Constancy, LogEnd, type TargetPlace } from "./target-place.ts";

export interface AppliedTask {
  readonly positions: PositionCodec;
  /** The end of the source's log now. */
  end(signal: AbortSignal): Promise<Position>;
  /** Resolves once the target has all that committed up to a position. */
  passes(position: Position): Promise<void>;
}

/** This process brings the source's changes itself. Whoever asks while others wait to be told waits for the next time with them. */
export class AppliedPlace implements TargetPlace {
  readonly isFollowed = true;
  readonly #task: AppliedTask;
  readonly #end: LogEnd;
  #now: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(task: AppliedTask) {
    this.#task = task;
    this.#end = new LogEnd(task.positions);
  }

  begin(signal: AbortSignal): Promise<void> {
    return this.passed(signal);
  }

  passed(signal: AbortSignal): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#now
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#now = next;
        return this.#pass(signal);
      });
    this.#next = next;
    return next;
  }

  decides(constancy: Constancy): boolean {
    return this.#end.decides(constancy);
  }

  async #pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const end = await this.#task.end(signal);
    this.#end.seen(end);
    await this.#task.passes(end);
  }
}
