import { UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import { EXPECT_WIDTH, Expect, type RowException } from "../../shared/apply/apply-counts.ts";
import type { ControlTableName } from "../../shared/apply/control-tables.ts";
import { type ExceptionRow, exceptionObject, exceptionRow } from "../../shared/apply/row-exception.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { ApplyColumns } from "./apply-columns.ts";
import type { ApplySession } from "./apply-session.ts";
import type { TargetTable } from "./apply-table.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

export type ExceptionTable = ControlTableName & `${string}exceptions`;

export interface ExceptionWriterParts {
  readonly session: ApplySession;
  readonly request: JournalRequest;
  /** Where they are recorded. */
  readonly table: ExceptionTable;
  readonly withValues: boolean;
  readonly targetOf: (exception: RowException) => TargetTable | undefined;
}

/**
 * Writes changes that were passed over into the table of exceptions, in the transaction at work. Texts of values that
 * come in binary are made by the server, which knows that form.
 */
export class ExceptionWriter {
  readonly #parts: ExceptionWriterParts;

  constructor(parts: ExceptionWriterParts) {
    this.#parts = parts;
  }

  async write(exceptions: readonly RowException[]): Promise<void> {
    const { session } = this.#parts;
    for (const exception of exceptions) {
      this.#one(exception);
      if (session.full) await session.push();
    }
  }

  #one(exception: RowException): void {
    const { session, request, table } = this.#parts;
    const { plan, place } = exception;
    const { batch } = place;
    const row = exceptionRow(exception);
    const params: number[] = [];
    const object =
      batch.encoding === "text"
        ? this.#textObject(exception, row)
        : this.#typedObject(exception, row, params);
    const { schema, name } = plan.target.id;
    const sql = `insert into ${controlTable(request, table)}
      ("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "ERROR_TIME", "STATEMENT", "ERROR")
      values (${[request.taskId, schema, name].map(literal).join(", ")}, ${NOW_SQL},
        ${literal(`${row.verb} ${qualified(plan.target.id)} `)} || ${object}, ${literal(row.error)})`;
    const { before, after } = row;
    const { bytes } = batch;
    session.executeOnce({ sql, params: Int32Array.from(params) }, Expect.done - EXPECT_WIDTH, {
      ...{ batch, at: place.at, before, after },
      bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    });
  }

  /** The server would refuse a text with a zero byte here as it has refused it in the row; JSON has an escape for it. */
  #textObject(exception: RowException, row: ExceptionRow): string {
    return literal(exceptionObject(exception, row, this.#parts.withValues));
  }

  /** `params`: takes what the SQL refers to. */
  #typedObject(exception: RowException, row: ExceptionRow, params: number[]): string {
    const { withValues, targetOf } = this.#parts;
    const { plan, place } = exception;
    const { keyIsBefore, key, moves, sent, after, at } = row;
    const columns = new ApplyColumns(plan, targetOf(exception), place.batch.encoding);
    const isKept = (ordinal: number): boolean => place.batch.cells[after + 2 * ordinal] === UNCHANGED_CELL;
    const object = (ordinals: readonly number[], isBefore: (ordinal: number) => boolean): string => {
      const names = ordinals.map((ordinal) => literal(plan.source.columns[ordinal]!.name));
      const values = ordinals.map((ordinal) => {
        const count = params.push(isBefore(ordinal) ? ~(2 * ordinal) : 2 * ordinal);
        return `$${count}::${columns.stageType(ordinal)}::pg_catalog.text`;
      });
      return `pg_catalog.json_object(array[${names.join(", ")}]::text[], array[${values.join(", ")}]::text[])`;
    };
    const members = [
      ...(key.length > 0 ? ["'key'", object(key, () => keyIsBefore)] : []),
      ...(moves ? ["'to'", object(key, isKept)] : []),
      ...(withValues && sent.length > 0 ? ["'values'", object(sent, () => false)] : []),
      ...(at === undefined ? [] : ["'at'", `${literal(at)}::text`]),
    ];
    return `pg_catalog.json_build_object(${members.join(", ")})::text`;
  }
}
