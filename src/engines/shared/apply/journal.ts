import { failpoint } from "../../../base/failpoint.ts";
import { Limiter } from "../../../base/limiter.ts";
import type { MigrationError } from "../../../core/error.ts";
import type {
  ForgottenTable,
  Journal,
  JournaledTable,
  JournalRequest,
  OptionalControlTable,
  PlannedTable,
  RecordedCodes,
  RecordedDifference,
  RecordedErrors,
  RecordedException,
  RecordedKinds,
  RecordsRequest,
  SnapshotPlace,
  StateChange,
  TaskReport,
} from "../../../core/journal.ts";
import type { LargeObjectProgress } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import { type RightsId, rightsKey } from "../../../core/rights.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { ShapedTable } from "../../../core/table-shape.ts";
import type { ValidationFailure } from "../../../core/validation-failure.ts";
import { journaledTables, type StateRow } from "./journal-rows.ts";
import type { JournalNote, JournalSql } from "./journal-sql.ts";
import { codesByTable, readExceptions } from "./recorded-exceptions.ts";
import { errorsByTable } from "./row-errors.ts";
import { failureParts, keyParts, kindsByTable, readDifferences } from "./validation-failures.ts";

/** Statements of the journal about many tables at once, of which there is at least one. Lists are one transaction. */
export interface JournalTablesSql {
  plan(tables: readonly PlannedTable[]): readonly string[];
  moveSnapshot(tables: readonly TableId[], snapshot: SnapshotPlace): readonly string[];
  setStates(tables: readonly TableId[], change: StateChange): readonly string[];
  setShapes(tables: readonly ShapedTable[]): readonly string[];
  setCompared(tables: readonly TableId[], isCompared: boolean): readonly string[];
}

/** An engine's session for a task's journal. It is asked one thing at a time, and throws what the driver says. */
export interface JournalSession {
  readonly tablesSql: JournalTablesSql;
  readonly sql: JournalSql;
  /** Each of the task's tables as often as it has partitions, at least once; in order of tables, then partitions. */
  tables(): Promise<readonly StateRow[]>;
  largeObjects(): Promise<LargeObjectProgress>;
  /** Those that are there, whether or not the task has asked for them. */
  optionalTables(): Promise<readonly OptionalControlTable[]>;
  /** A query's rows as texts. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** The `text` of the row that a query answers with, undefined for none. */
  text(sql: string): Promise<string | undefined>;
  /** Statements as one transaction: all of them or none. */
  run(statements: readonly string[]): Promise<void>;
  /** Resolves when what has been committed outlives a crash of the server. */
  becomesDurable(): Promise<void>;
  /** The position of a checkpoint; see positionSql(). */
  positionOf(text: string): Position | undefined;
  classify(error: unknown): MigrationError;
  end(): Promise<void>;
}

/**
 * A task's journal on one session. Where the server's commits do not wait for its disk, those wait for it that others
 * than the target's tables must agree with; the rest would be lost together with the rows that it speaks of.
 */
export class TargetJournal implements Journal {
  readonly #request: JournalRequest;
  readonly #session: JournalSession;
  readonly #turns = new Limiter(1);

  constructor(request: JournalRequest, session: JournalSession) {
    this.#request = request;
    this.#session = session;
  }

  async tables(signal: AbortSignal): Promise<readonly JournaledTable[]> {
    return journaledTables(await this.#inTurn(signal, () => this.#session.tables()));
  }

  async planTables(tables: readonly PlannedTable[], signal: AbortSignal): Promise<void> {
    if (tables.length === 0) return;
    const { tablesSql, sql } = this.#session;
    const cleared = tables.flatMap(({ clears }) => clears ?? []);
    await this.#run([...tablesSql.plan(tables), ...sql.clearRowRecordsSql(this.#request, cleared)], signal);
  }

  async moveSnapshot(
    tables: readonly TableId[],
    snapshot: SnapshotPlace,
    signal: AbortSignal,
  ): Promise<void> {
    if (tables.length > 0) await this.#run(this.#session.tablesSql.moveSnapshot(tables, snapshot), signal);
  }

  async setTableStates(tables: readonly TableId[], change: StateChange, signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run(this.#session.tablesSql.setStates(tables, change), signal);
  }

  async setShapes(tables: readonly ShapedTable[], signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run(this.#session.tablesSql.setShapes(tables), signal);
  }

  async setCompared(tables: readonly TableId[], isCompared: boolean, signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run(this.#session.tablesSql.setCompared(tables, isCompared), signal);
  }

  keptObjects(signal: AbortSignal): Promise<readonly RightsId[] | undefined> {
    return this.#inTurn(signal, () => this.#keptObjects());
  }

  async keepObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void> {
    const added = objects.map(({ kind, id: { schema, name } }) => ({ kind, id: { schema, name } }));
    await this.#inTurn(signal, async () => {
      await this.#saveKept([...((await this.#keptObjects()) ?? []), ...added]);
    });
  }

  async releaseObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void> {
    const released = new Set(objects.map(rightsKey));
    await this.#inTurn(signal, async () => {
      const kept = await this.#keptObjects();
      if (kept !== undefined) await this.#saveKept(kept.filter((object) => !released.has(rightsKey(object))));
    });
  }

  largeObjects(signal: AbortSignal): Promise<LargeObjectProgress> {
    return this.#inTurn(signal, () => this.#session.largeObjects());
  }

  async recordedErrors(signal: AbortSignal): Promise<ReadonlyMap<string, RecordedErrors>> {
    const sql = this.#session.sql.recordedErrorsSql(this.#request);
    return errorsByTable(await this.#inTurn(signal, () => this.#session.rows(sql)));
  }

  async exceptions(wanted: RecordsRequest, signal: AbortSignal): Promise<readonly RecordedException[]> {
    const sql = this.#session.sql.exceptionsSql(this.#request, wanted);
    return readExceptions(await this.#inTurn(signal, () => this.#session.rows(sql)));
  }

  async recordedCodes(signal: AbortSignal): Promise<readonly RecordedCodes[]> {
    const sql = this.#session.sql.recordedCodesSql(this.#request);
    return codesByTable(await this.#inTurn(signal, () => this.#session.rows(sql)));
  }

  sourceLog(signal: AbortSignal): Promise<string | undefined> {
    return this.#inTurn(signal, () => this.#note("source log"));
  }

  async setSourceLog(log: string, signal: AbortSignal): Promise<void> {
    await this.#runDurably([this.#session.sql.saveNoteSql(this.#request, "source log", log)], signal);
    failpoint("journal.log-noted");
  }

  async appliedPosition(signal: AbortSignal): Promise<Position | undefined> {
    const { sql } = this.#session;
    const text = await this.#inTurn(signal, () => this.#session.text(sql.positionSql(this.#request)));
    return text === undefined ? undefined : this.#session.positionOf(text);
  }

  async setAppliedPosition(position: Position, signal: AbortSignal): Promise<void> {
    await this.#runDurably([this.#session.sql.savePositionSql(this.#request, position)], signal);
    failpoint("journal.position-set");
  }

  async noteStart(startId: string, signal: AbortSignal): Promise<void> {
    // Where that was noted and is not on the target's disk yet, nothing that came after it is: to wait again gains nothing.
    const noted = await this.#inTurn(signal, () => this.#note("start"));
    if (noted !== startId) {
      await this.#runDurably([this.#session.sql.saveNoteSql(this.#request, "start", startId)], signal);
    }
    failpoint("journal.start-noted");
  }

  async noteOnlyCompares(signal: AbortSignal): Promise<void> {
    const { sql } = this.#session;
    await this.#runDurably([sql.saveNoteSql(this.#request, "only compares", "t")], signal);
  }

  async forgetTables(tables: readonly ForgottenTable[], signal: AbortSignal): Promise<void> {
    if (tables.length === 0) return;
    const { sql } = this.#session;
    const targets = tables.map(({ target }) => target);
    const forgotten = tables.flatMap(({ source }) => sql.forgetTableSql(this.#request, source));
    await this.#run([...forgotten, ...sql.clearRowRecordsSql(this.#request, targets)], signal);
  }

  async report({ status, slots = [] }: TaskReport, signal: AbortSignal): Promise<void> {
    const { sql } = this.#session;
    const statements = [
      ...(status === undefined ? [] : [sql.saveStatusSql(this.#request, status)]),
      ...slots.map((slot) => sql.saveHistorySql(this.#request, slot)),
    ];
    if (statements.length > 0) await this.#run(statements, signal);
  }

  async addValidationFailures(failures: readonly ValidationFailure[], signal: AbortSignal): Promise<void> {
    const { sql } = this.#session;
    for (const rows of failureParts(failures)) {
      await this.#run(sql.saveFailuresSql(this.#request, rows), signal);
    }
  }

  async removeValidationFailures(
    table: TableId,
    keys: readonly (readonly string[])[] | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { sql } = this.#session;
    for (const part of keys === undefined ? [undefined] : keyParts(keys)) {
      await this.#run(sql.removeFailuresSql(this.#request, table, part), signal);
    }
  }

  async countValidationFailures(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const sql = this.#session.sql.countFailuresSql(this.#request);
    const rows = await this.#inTurn(signal, () => this.#session.rows(sql));
    return new Map(
      rows.map(([schema, name, count]) => [tableKey({ schema: schema!, name: name! }), Number(count)]),
    );
  }

  async differences(wanted: RecordsRequest, signal: AbortSignal): Promise<readonly RecordedDifference[]> {
    const sql = this.#session.sql.differencesSql(this.#request, wanted);
    return readDifferences(await this.#inTurn(signal, () => this.#session.rows(sql)));
  }

  async differenceKinds(signal: AbortSignal): Promise<readonly RecordedKinds[]> {
    const sql = this.#session.sql.differenceKindsSql(this.#request);
    return kindsByTable(await this.#inTurn(signal, () => this.#session.rows(sql)));
  }

  async forget(signal: AbortSignal): Promise<void> {
    // Under other settings it may have had others.
    const optionalTables = await this.#inTurn(signal, () => this.#session.optionalTables());
    await this.#runDurably(this.#session.sql.forgetSql({ ...this.#request, optionalTables }), signal);
    failpoint("journal.forgotten");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.end();
  }

  #note(note: JournalNote): Promise<string | undefined> {
    return this.#session.text(this.#session.sql.noteSql(this.#request, note));
  }

  async #keptObjects(): Promise<readonly RightsId[] | undefined> {
    const text = await this.#note("kept objects");
    return text === undefined ? undefined : (JSON.parse(text) as RightsId[]);
  }

  async #saveKept(objects: readonly RightsId[]): Promise<void> {
    const { sql } = this.#session;
    await this.#session.run([sql.saveNoteSql(this.#request, "kept objects", JSON.stringify(objects))]);
  }

  async #run(statements: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#inTurn(signal, () => this.#session.run(statements));
  }

  async #runDurably(statements: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#inTurn(signal, async () => {
      await this.#session.run(statements);
      await this.#session.becomesDurable();
    });
  }

  async #inTurn<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    try {
      return await this.#turns.run(work);
    } catch (error) {
      throw this.#session.classify(error);
    }
  }
}
