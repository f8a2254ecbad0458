import type { JournalRequest, RecordedException } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Position } from "../../../core/position.ts";
import type { ApplyCounts, RowException } from "../../shared/apply/apply-counts.ts";
import type { ApplyGroup } from "../../shared/apply/apply-group.ts";
import type { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import type { ApplyTransactions, Committed } from "../../shared/apply/apply-loop.ts";
import { LogDurability } from "../../shared/apply/log-durability.ts";
import { tallyOf } from "../../shared/apply/row-errors.ts";
import type { ActingKeys } from "./acting-keys.ts";
import { LOG_STATE_SQL, readLogState } from "./apply-durability.ts";
import type { ExceptionWriter } from "./apply-exceptions.ts";
import type { ApplySession } from "./apply-session.ts";
import type { PreparedStatement } from "./apply-writer.ts";
import { executePositionSql, forgetExceptionsSql } from "./journal-sql.ts";

export interface PostgresTransactionsParts {
  readonly session: ApplySession;
  readonly writer: GroupWriter;
  readonly counts: ApplyCounts;
  readonly exceptions: ExceptionWriter;
  readonly request: JournalRequest;
  /** Where foreign keys act on rows that are tried again. */
  readonly acting: ActingKeys | undefined;
  /** Statements that open a transaction. */
  readonly begin: readonly string[];
  /** The statement that makes the transaction at work wait for the disk; undefined: every one does. */
  readonly waitForDisk: string | undefined;
  describe(error: unknown): unknown;
}

/**
 * The loop's transactions. What the server is asked when they commit goes in one message with the commit, and so
 * does the question how far its log is on disk.
 */
export class PostgresTransactions implements ApplyTransactions {
  readonly #parts: PostgresTransactionsParts;
  readonly #begin: readonly PreparedStatement[];
  readonly #durability = new LogDurability();

  constructor(parts: PostgresTransactionsParts) {
    this.#parts = parts;
    this.#begin = parts.begin.map((sql, i) => ({
      name: `begin_${i}`,
      sql,
      params: new Int32Array(0),
      prepared: false,
      usedAt: 0,
    }));
  }

  begin(unrecorded?: "unrecorded"): void {
    this.#parts.counts.errors.isUncounted = unrecorded !== undefined;
    for (const statement of this.#begin) this.#parts.session.command(statement);
  }

  /** What is passed over is recorded at once: a large transaction that comes in parts may have a lot of it. */
  async write(group: ApplyGroup): Promise<readonly RowException[]> {
    const { writer, counts, exceptions } = this.#parts;
    await writer.write(group);
    const passedOver = counts.takeExceptions();
    if (!counts.errors.isUncounted) await exceptions.write(passedOver);
    return passedOver;
  }

  checkRetry(plan: TablePlan): void {
    this.#parts.acting?.check(plan);
  }

  async forgetExceptions(plan: TablePlan, exceptions: readonly RecordedException[]): Promise<void> {
    const { session, counts, request, acting } = this.#parts;
    const ids = exceptions.map(({ id }) => id);
    const forget = forgetExceptionsSql(request, plan.target.id, ids);
    await session.ask([...(acting?.silence(plan) ?? []), ...forget].join("; "));
    counts.errors.resolved(plan, tallyOf(exceptions));
  }

  async commitRetry(): Promise<void> {
    const { session, writer, counts, waitForDisk } = this.#parts;
    await session.ask([...(waitForDisk === undefined ? [] : [waitForDisk]), "commit"].join("; "));
    writer.ended();
    counts.take();
  }

  async rollBack(): Promise<void> {
    const { session, writer, counts } = this.#parts;
    await session.ask("rollback");
    writer.rolledBack();
    counts.takenBack();
  }

  async commit(position: Position): Promise<Committed> {
    const { session, writer, counts, waitForDisk } = this.#parts;
    const asks = waitForDisk !== undefined && this.#durability.isDue;
    const answer = await session.ask(
      [executePositionSql(position), "commit", ...(asks ? [LOG_STATE_SQL] : [])].join("; "),
    );
    writer.ended();
    const tables = counts.take();
    if (waitForDisk === undefined) return { tables, durable: position };
    this.#durability.committed(position);
    return { tables, durable: asks ? this.#durability.told(readLogState(answer)) : undefined };
  }

  /** In a transaction that waits for the disk. */
  async save(position: Position): Promise<Position> {
    const { session, waitForDisk } = this.#parts;
    const save = executePositionSql(position);
    await session.ask(waitForDisk === undefined ? save : `begin; ${waitForDisk}; ${save}; commit`);
    this.#durability.settled();
    return position;
  }

  get undurable(): Position | undefined {
    return this.#durability.newest;
  }

  get isDue(): boolean {
    return this.#durability.isDue;
  }

  get dueInMs(): number | undefined {
    return this.#durability.dueInMs;
  }

  async askDurable(): Promise<Position | undefined> {
    return this.#durability.told(readLogState(await this.#parts.session.ask(LOG_STATE_SQL)));
  }

  describe(error: unknown): unknown {
    return this.#parts.describe(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.session[Symbol.asyncDispose]();
  }
}
