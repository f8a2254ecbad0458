import type { Position } from "../core/position.ts";
import type { ChangeApplyParts } from "./change-apply.ts";

/** How often an idle stretch of log is recorded and given back to the source. */
const IDLE_SAVE_INTERVAL_MS = 5_000;

interface TakenPositions {
  /** Of the last transaction that was given to the applier. */
  readonly given: Position | undefined;
  readonly durable: Position | undefined;
}

/**
 * An idle stretch of log may be discarded as soon as nothing taken is still on its way. It is recorded
 * in the target first: so the source never stands beyond the target's record, and a target that was
 * set back to an earlier state is noticed instead of going on with a gap.
 */
export class IdlePositions {
  readonly #parts: Pick<ChangeApplyParts, "rules" | "stream" | "saveIdle">;
  #savedMs = -Infinity;
  #saved: Position | undefined;

  constructor(parts: Pick<ChangeApplyParts, "rules" | "stream" | "saveIdle">) {
    this.#parts = parts;
  }

  async confirm(position: Position, { given, durable }: TakenPositions): Promise<void> {
    const { rules, stream, saveIdle } = this.#parts;
    const settled = given === undefined || (durable !== undefined && rules.reaches(durable, given));
    if (!settled || performance.now() - this.#savedMs < IDLE_SAVE_INTERVAL_MS) return;
    // A source that stands still says so again and again.
    if (this.#saved !== undefined && rules.reaches(this.#saved, position)) return;
    await saveIdle(position);
    this.#saved = position;
    this.#savedMs = performance.now();
    stream.confirm(position);
  }
}
