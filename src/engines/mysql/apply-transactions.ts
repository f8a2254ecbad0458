import type { Position } from "../../core/position.ts";
import type { ApplyRequest } from "../../core/target.ts";
import type { ApplyCounts } from "../shared/apply-counts.ts";
import type { ApplyGroup } from "../shared/apply-group.ts";
import type { GroupWriter } from "../shared/apply-group-writer.ts";
import type { ApplyTransactions, Committed } from "../shared/apply-loop.ts";
import { FLUSH_SQL, type FlushDurability } from "./apply-durability.ts";
import { conflictSql } from "./apply-journal.ts";
import { type ApplySession, StatementFailure } from "./apply-session.ts";
import { savePositionSql } from "./journal-sql.ts";
import { mayRetry } from "./statement-error.ts";

/** How often a group is tried that the server gives up for another session's sake. */
const MAX_TRIES = 10;

export interface MysqlTransactionsParts {
  readonly session: ApplySession;
  readonly writer: GroupWriter;
  readonly counts: ApplyCounts;
  readonly request: ApplyRequest;
  readonly durability: FlushDurability;
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

  begin(): void {
    this.#isFirst = true;
    this.#begun = true;
  }

  /** A deadlock takes back the whole transaction: the group is written again unless parts came before it. */
  async write(group: ApplyGroup): Promise<void> {
    const { session, writer, counts } = this.#parts;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    for (let tries = 1; ; tries++) {
      try {
        await writer.write(group);
        return;
      } catch (error) {
        const again = error instanceof StatementFailure && mayRetry(error);
        if (!again || !isFirst || tries === MAX_TRIES) throw error;
        session.takeMismatched();
        session.statements("rollback");
        await session.drain();
        counts.take();
        writer.ended();
      }
    }
  }

  async commit(position: Position): Promise<Committed> {
    const { session, writer, counts, request, durability } = this.#parts;
    for (const conflict of counts.conflicts) {
      session.statements(...conflictSql(request, conflict));
      await session.drain();
    }
    session.statements(savePositionSql(request, position), "commit");
    await session.drain();
    this.#begun = false;
    writer.ended();
    const tables = counts.take();
    if (durability.waits) return { tables, durable: position };
    durability.committed(position);
    return { tables, durable: durability.isDue ? await this.#flush() : undefined };
  }

  async saveDurably(position: Position): Promise<void> {
    const { session, request, durability } = this.#parts;
    session.statements(savePositionSql(request, position), "commit");
    await session.drain();
    if (!durability.waits) await this.#flush();
  }

  get undurable(): Position | undefined {
    return this.#parts.durability.newest;
  }

  /** Writing the log commits, so not while a transaction is at work. */
  get isDue(): boolean {
    return !this.#begun && this.#parts.durability.isDue;
  }

  get dueInMs(): number | undefined {
    return this.#begun ? undefined : this.#parts.durability.dueInMs;
  }

  askDurable(): Promise<Position | undefined> {
    return this.#flush();
  }

  describe(error: unknown): unknown {
    return this.#parts.describe(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.session[Symbol.asyncDispose]();
  }

  async #flush(): Promise<Position | undefined> {
    const { session, durability } = this.#parts;
    session.statements(FLUSH_SQL);
    await session.drain();
    return durability.flushed();
  }
}
