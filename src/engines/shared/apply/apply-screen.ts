import type { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import type { Corrections } from "./apply-corrections.ts";
import type { ApplyCounts } from "./apply-counts.ts";
import type { Segment } from "./apply-segments.ts";
import type { ChangeVisitor } from "./apply-walk.ts";
import { type PlanIndex, walkPiece } from "./apply-walk.ts";
import { type ChangePlace, NO_PLACE } from "./change-ring.ts";

/** A row that the target has refused. */
export interface RefusedRow {
  readonly plan: number;
  readonly error: MigrationError;
}

/** Which plan's table the error of a row is about; throws the error when it is none's. */
export function planOf(error: MigrationError, plans: readonly TablePlan[]): number {
  const { table } = error;
  const plan = plans.findIndex(
    ({ source }) => table !== undefined && tableKey(source.id) === tableKey(table),
  );
  if (plan < 0) throw error;
  return plan;
}

/** A session that can go back to an earlier place of the transaction at work. */
export interface ScreenSession {
  /**
   * Writes something and waits until the target has carried it out. Resolves with the row that it refuses, after which
   * nothing of it has happened; undefined for none. Throws what is not a row's error.
   */
  attempt(write: () => Promise<void>): Promise<RefusedRow | undefined>;
}

export interface ScreenParts {
  readonly session: ScreenSession;
  readonly changes: ChangeVisitor;
  readonly counts: ApplyCounts;
  readonly corrections: Corrections | undefined;
  readonly index: PlanIndex;
  /** Whether changes of different tables may be applied in another order than the source's. */
  readonly tablesAreFree: boolean;
}

/**
 * Applies changes of which the target may refuse some, which are passed over and recorded. All are tried together
 * first; of a table with a change that is refused each is then tried by itself.
 */
export class Screen {
  readonly #parts: ScreenParts;

  constructor(parts: ScreenParts) {
    this.#parts = parts;
  }

  /** `writeSome` writes the segment's changes of some tables, as if none of them could be refused. */
  async write(
    segment: Segment,
    writeSome: (isWanted: (plan: number) => boolean) => Promise<void>,
  ): Promise<void> {
    const { session, tablesAreFree } = this.#parts;
    const refusing = new Set<number>();
    for (;;) {
      const refused = await session.attempt(() => writeSome((plan) => !refusing.has(plan)));
      if (refused === undefined) break;
      if (!tablesAreFree) return await this.#oneByOne(segment, () => true);
      refusing.add(refused.plan);
    }
    if (refusing.size > 0) await this.#oneByOne(segment, (plan) => refusing.has(plan));
  }

  async #oneByOne(segment: Segment, isWanted: (plan: number) => boolean): Promise<void> {
    const { changes, corrections, index } = this.#parts;
    const place: ChangePlace = { ...NO_PLACE };
    let next: (() => void) | undefined;
    let plan = -1;
    const visitor: ChangeVisitor = {
      use: (batch) => {
        place.batch = batch;
        changes.use(batch);
      },
      exact: (...change) => {
        [plan, , place.at] = change;
        next = () => changes.exact(...change);
      },
      converge: (...change) => {
        [plan, , place.at] = change;
        next = () => changes.converge(...change);
      },
      truncate: (plans) => changes.truncate(plans),
    };
    const push = async (): Promise<void> => {
      const write = next!;
      await this.#one(plan, place, write);
    };
    for (const piece of segment.pieces) {
      const planOf = index.of(piece.batch);
      await walkPiece(piece, { planOf, visitor, corrections, outlet: { full: true, push }, isWanted });
    }
  }

  async #one(plan: number, place: ChangePlace, write: () => void): Promise<void> {
    const { session, counts } = this.#parts;
    const refused = await session.attempt(async () => write());
    if (refused === undefined) return;
    const error = counts.refused(plan, place, refused.error);
    if (error !== undefined) throw error;
  }
}
