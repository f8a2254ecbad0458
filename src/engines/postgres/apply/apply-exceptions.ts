import type { JournalRequest } from "../../../core/journal.ts";
import { EXPECT_WIDTH, Expect, type RowException } from "../../shared/apply/apply-counts.ts";
import type { ControlTableName } from "../../shared/apply/control-tables.ts";
import { exceptionRow } from "../../shared/apply/row-exception.ts";
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
 * Writes changes that were passed over into the table of exceptions, in the transaction at work. Texts of values are
 * made by the server, which knows the binary form that they come in.
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
    const { session, request, table, withValues, targetOf } = this.#parts;
    const { plan, place } = exception;
    const { batch } = place;
    const { verb, keyIsBefore, key, sent, before, after, at, error } = exceptionRow(exception);
    const columns = new ApplyColumns(plan, targetOf(exception), batch.encoding);
    const params: number[] = [];
    const object = (ordinals: readonly number[], isBefore: boolean): string => {
      const names = ordinals.map((ordinal) => literal(plan.source.columns[ordinal]!.name));
      const values = ordinals.map((ordinal) => {
        const count = params.push(isBefore ? ~(2 * ordinal) : 2 * ordinal);
        return `$${count}::${columns.stageType(ordinal)}::pg_catalog.text`;
      });
      return `pg_catalog.json_object(array[${names.join(", ")}]::text[], array[${values.join(", ")}]::text[])`;
    };
    const members = [
      ...(key.length > 0 ? ["'key'", object(key, keyIsBefore)] : []),
      ...(withValues && sent.length > 0 ? ["'values'", object(sent, false)] : []),
      ...(at === undefined ? [] : ["'at'", `${literal(at)}::text`]),
    ];
    const { schema, name } = plan.target.id;
    const sql = `insert into ${controlTable(request, table)}
      ("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "ERROR_TIME", "STATEMENT", "ERROR")
      values (${[request.taskId, schema, name].map(literal).join(", ")}, ${NOW_SQL},
        ${literal(`${verb} ${qualified(plan.target.id)} `)} || pg_catalog.json_build_object(${members.join(", ")})::text,
        ${literal(error)})`;
    const { bytes } = batch;
    session.executeOnce({ sql, params: Int32Array.from(params) }, Expect.done - EXPECT_WIDTH, {
      ...{ batch, at: place.at, before, after },
      bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    });
  }
}
