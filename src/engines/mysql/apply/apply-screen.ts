import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import { planOf, type RefusedRow, type ScreenSession } from "../../shared/apply/apply-screen.ts";
import type { ApplySession } from "./apply-session.ts";
import type { ApplyTables } from "./apply-tables.ts";

const SAVEPOINT = "tideway_screen";

export interface MysqlScreenParts {
  readonly session: ApplySession;
  readonly counts: ApplyCounts;
  readonly plans: readonly TablePlan[];
  readonly tables: Pick<ApplyTables, "replaced" | "setBack">;
  describe(error: unknown): unknown;
}

/** Attempts between a savepoint and its release, which go with the statements. */
export class MysqlScreen implements ScreenSession {
  /** All that stands against a row is looked at when it is written. */
  readonly defers = false;
  readonly #parts: MysqlScreenParts;

  constructor(parts: MysqlScreenParts) {
    this.#parts = parts;
  }

  async attempt(write: () => Promise<void>): Promise<RefusedRow | undefined> {
    const { session, counts, tables } = this.#parts;
    const takeBack = counts.mark();
    const { replaced } = tables;
    session.statements(`savepoint ${SAVEPOINT}`);
    try {
      await write();
      await session.drain();
    } catch (error) {
      const refused = this.#refused(error);
      await this.#settle();
      session.takeMismatched();
      session.statements(`rollback to savepoint ${SAVEPOINT}`, `release savepoint ${SAVEPOINT}`);
      await session.drain();
      tables.setBack(replaced);
      takeBack();
      return refused;
    }
    session.statements(`release savepoint ${SAVEPOINT}`);
    return undefined;
  }

  /**
   * A row that is too large for a statement is refused before the server has answered what was written before it. That
   * is taken back, too, so other rows that it refuses are found when they are tried again.
   */
  async #settle(): Promise<void> {
    try {
      await this.#parts.session.drain();
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Throws what is no row's error, as it is: the session's user may know what to do about it. */
  #refused(thrown: unknown): RefusedRow {
    const { plans, describe } = this.#parts;
    const error = describe(thrown);
    if (!(error instanceof MigrationError) || !error.isOfRow) throw thrown;
    return { plan: planOf(error, plans), error };
  }
}
