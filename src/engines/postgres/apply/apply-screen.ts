import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import type { ApplyFailure } from "../../shared/apply/apply-parts.ts";
import { planOf, type RefusedRow, type ScreenSession } from "../../shared/apply/apply-screen.ts";
import { DEFER_SQL } from "./apply-open.ts";
import type { ApplySession } from "./apply-session.ts";
import type { PreparedStatement } from "./apply-writer.ts";

const SAVEPOINT = "tideway_screen";

export interface PostgresScreenParts {
  readonly session: ApplySession;
  readonly counts: ApplyCounts;
  readonly plans: readonly TablePlan[];
  /** See ScreenSession. */
  readonly defers: boolean;
  /** Sets that take part, which have to know that a stretch was taken back. */
  readonly sets: { rolledBack(): void } | undefined;
  describe(failure: ApplyFailure): unknown;
}

/** Attempts as stretches of the session's pipeline, each between a savepoint and its release. */
export class PostgresScreen implements ScreenSession {
  readonly defers: boolean;
  readonly #parts: PostgresScreenParts;
  readonly #begin = statement("screen_begin", `savepoint ${SAVEPOINT}`);
  readonly #end = statement("screen_end", `release savepoint ${SAVEPOINT}`);
  readonly #look = [
    statement("screen_look", "set constraints all immediate"),
    statement("screen_defer", DEFER_SQL),
  ];

  constructor(parts: PostgresScreenParts) {
    this.defers = parts.defers;
    this.#parts = parts;
  }

  async attempt(write: () => Promise<void>, looks: boolean): Promise<RefusedRow | undefined> {
    const { session, counts, sets } = this.#parts;
    const takeBack = counts.mark();
    session.guard();
    session.command(this.#begin);
    try {
      await write();
      if (looks) for (const look of this.#look) session.command(look);
      await session.drain();
    } catch (error) {
      const refused = this.#refused(error);
      await session.retreat(`rollback to savepoint ${SAVEPOINT}; release savepoint ${SAVEPOINT}`);
      sets?.rolledBack();
      takeBack();
      return refused;
    }
    session.unguard();
    session.command(this.#end);
    return undefined;
  }

  /** Throws what is no row's error. */
  #refused(thrown: unknown): RefusedRow {
    const { session, plans, describe } = this.#parts;
    const { failure } = session;
    const error = failure !== undefined && failure.error === thrown ? describe(failure) : thrown;
    if (!(error instanceof MigrationError) || !error.isOfRow) throw error;
    return { plan: planOf(error, plans), error };
  }
}

function statement(name: string, sql: string): PreparedStatement {
  return { name, sql, params: new Int32Array(0), prepared: false, usedAt: 0 };
}
