import type { RecordedException } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Position } from "../../../core/position.ts";
import type { ApplyRequest } from "../../../core/target.ts";
import type { ApplyCounts, RowException } from "../../shared/apply/apply-counts.ts";
import type { ApplyGroup } from "../../shared/apply/apply-group.ts";
import type { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import type { ApplyTransactions, Committed } from "../../shared/apply/apply-loop.ts";
import { tallyOf } from "../../shared/apply/row-errors.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import type { ApplyDurability } from "./apply-durability.ts";
import type { ExceptionWriter } from "./apply-exceptions.ts";
import { StatementFailure } from "./apply-failure.ts";
import type { ApplySession } from "./apply-session.ts";
import type { ApplyTables } from "./apply-tables.ts";
import { forgetExceptionsSql, savePositionSql } from "./journal-sql.ts";
import { mayRetry } from "./statement-error.ts";

/** How often a group is tried that the server gives up for another session's sake. */
const MAX_TRIES = 10;

export interface MysqlTransactionsParts {
  readonly session: ApplySession;
  readonly writer: GroupWriter;
  readonly counts: ApplyCounts;
  readonly tables: ApplyTables;
  /** Of values that have come as others. */
  readonly replaced: ValueCounts;
  readonly request: ApplyRequest;
  readonly exceptions: ExceptionWriter;
  readonly durability: ApplyDurability;
  describe(error: unknown): unknown;
}

/** The loop's transactions. They begin by themselves, at their first statement. */
export class MysqlTransactions implements ApplyTransactions {
  readonly #parts: MysqlTransactionsParts;
  /** What is to be written is the first part of its transaction: nothing else is lost when that is taken back. */
  #isFirst = true;
  /** A transaction is at work. */
  #begun = false;

  constructor(parts: MysqlTransactionsParts) {
    this.#parts = parts;
  }

  begin(unrecorded?: "unrecorded"): void {
    this.#parts.counts.errors.isUncounted = unrecorded !== undefined;
    this.#isFirst = true;
    this.#begun = true;
  }

  /**
   * A deadlock takes back the whole transaction: the group is written again unless parts came before it. What is passed
   * over is recorded at once: a large transaction that comes in parts may have a lot of it.
   */
  async write(group: ApplyGroup): Promise<readonly RowException[]> {
    const { writer, counts, exceptions } = this.#parts;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    for (let tries = 1; ; tries++) {
      try {
        await writer.write(group);
        const passedOver = counts.takeExceptions();
        if (!counts.errors.isUncounted) await exceptions.write(passedOver);
        return passedOver;
      } catch (error) {
        const again = error instanceof StatementFailure && mayRetry(error);
        if (!again || !isFirst || tries === MAX_TRIES) throw error;
        await this.#undo();
      }
    }
  }

  /** Triggers act on whatever is written here. */
  checkRetry(): void {}

  async forgetExceptions(plan: TablePlan, exceptions: readonly RecordedException[]): Promise<void> {
    const { session, counts, request } = this.#parts;
    this.#isFirst = false;
    const ids = exceptions.map(({ id }) => id);
    session.statements(...forgetExceptionsSql(request, plan.target.id, ids));
    await session.drain();
    counts.errors.resolved(plan, tallyOf(exceptions));
  }

  async commitRetry(): Promise<void> {
    const { session, writer, counts, tables, replaced, durability } = this.#parts;
    session.statements("commit");
    await session.drain();
    this.#begun = false;
    writer.ended();
    tables.count(replaced);
    counts.take();
    await durability.wait();
  }

  async rollBack(): Promise<void> {
    await this.#undo();
    this.#begun = false;
  }

  async commit(position: Position): Promise<Committed> {
    const { session, writer, counts, tables, replaced, request, durability } = this.#parts;
    session.statements(savePositionSql(request, position), "commit");
    await session.drain();
    this.#begun = false;
    writer.ended();
    tables.count(replaced);
    return { tables: counts.take(), durable: await durability.committed(position) };
  }

  async save(position: Position, waits: boolean): Promise<Position | undefined> {
    const { session, request, durability } = this.#parts;
    session.statements(savePositionSql(request, position), "commit");
    await session.drain();
    const durable = await durability.committed(position);
    return waits ? ((await durability.settle()) ?? durable) : durable;
  }

  get undurable(): Position | undefined {
    return this.#parts.durability.newest;
  }

  /** To make the server write its log commits, so not while a transaction is at work. */
  get isDue(): boolean {
    return !this.#begun && this.#parts.durability.isDue;
  }

  get dueInMs(): number | undefined {
    return this.#begun ? undefined : this.#parts.durability.dueInMs;
  }

  askDurable(): Promise<Position | undefined> {
    return this.#parts.durability.ask();
  }

  describe(error: unknown): unknown {
    return this.#parts.describe(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.session[Symbol.asyncDispose]();
  }

  async #undo(): Promise<void> {
    const { session, writer, counts, tables } = this.#parts;
    session.takeMismatched();
    session.statements("rollback");
    await session.drain();
    counts.takenBack();
    tables.setBack([]);
    writer.rolledBack();
  }
}
