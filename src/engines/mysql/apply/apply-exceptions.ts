import type { JournalRequest } from "../../../core/journal.ts";
import { EXPECT_WIDTH, Expect, type RowException } from "../../shared/apply/apply-counts.ts";
import type { ControlTableName } from "../../shared/apply/control-tables.ts";
import { exceptionObject, exceptionRow } from "../../shared/apply/row-exception.ts";
import { literal, qualified } from "../catalog/identifier.ts";
import type { ApplySession } from "./apply-session.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

export type ExceptionTable = ControlTableName & `${string}exceptions`;

export interface ExceptionWriterParts {
  readonly session: ApplySession;
  readonly request: JournalRequest;
  /** Where they are recorded. */
  readonly table: ExceptionTable;
  readonly withValues: boolean;
}

/** Writes changes that were passed over into the table of exceptions, in the transaction at work. */
export class ExceptionWriter {
  readonly #parts: ExceptionWriterParts;

  constructor(parts: ExceptionWriterParts) {
    this.#parts = parts;
  }

  async write(exceptions: readonly RowException[]): Promise<void> {
    const { session } = this.#parts;
    if (exceptions.length === 0) return;
    for (const exception of exceptions) {
      session.begin().append(this.#statement(exception));
      session.end(Expect.done - EXPECT_WIDTH);
      if (session.full) await session.push();
    }
    await session.drain();
  }

  /** A row may have been refused because it is larger than a statement may be: then its values are left out. */
  #statement(exception: RowException): Buffer {
    const { session, withValues } = this.#parts;
    const whole = Buffer.from(this.#sql(exception, withValues));
    return whole.length + 1 < session.limit ? whole : Buffer.from(this.#sql(exception, false));
  }

  #sql(exception: RowException, withValues: boolean): string {
    const { request, table } = this.#parts;
    const { plan } = exception;
    const row = exceptionRow(exception);
    const { schema, name } = plan.target.id;
    const object = exceptionObject(exception, row, withValues);
    const statement = `${row.verb} ${qualified(plan.target.id)} ${object}`;
    const texts = [request.taskId, schema, name].map(literal).join(", ");
    return `insert into ${controlTable(request, table)}
      (TASK_NAME, TABLE_OWNER, TABLE_NAME, ERROR_TIME, STATEMENT, ERROR)
      values (${texts}, ${NOW_SQL}, ${literal(statement)}, ${literal(row.error)})`;
  }
}
