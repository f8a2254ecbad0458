import { UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import type { Column } from "../../../core/schema.ts";
import { EXPECT_WIDTH, Expect, type RowException } from "../../shared/apply/apply-counts.ts";
import type { ControlTableName } from "../../shared/apply/control-tables.ts";
import { type ExceptionRow, exceptionObject, exceptionRow } from "../../shared/apply/row-exception.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { binaryForm } from "../catalog/binary-form.ts";
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
  /** See SessionTraits. */
  readonly unicode: boolean;
  readonly targetOf: (exception: RowException) => TargetTable | undefined;
}

/**
 * Writes changes that were passed over into the table of exceptions, in the transaction at work. Texts of values that
 * come in binary are made by the server, which knows that form; but what characters make up is not sent to it again as it
 * came: the row may have been refused for them.
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
        ${literal(`${row.verb} ${qualified(plan.target.id)} `)} || ${object}, ${this.#text(row.error)})`;
    const { before, after } = row;
    const { bytes } = batch;
    session.executeOnce({ sql, params: Int32Array.from(params) }, Expect.done - EXPECT_WIDTH, {
      ...{ batch, at: place.at, before, after },
      bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    });
  }

  /** The server would refuse a text with a zero byte here as it has refused it in the row; JSON has an escape for it. */
  #textObject(exception: RowException, row: ExceptionRow): string {
    return this.#text(exceptionObject(exception, row, this.#parts.withValues));
  }

  /** The same of a change whose cells are the source's binary. `params`: takes what the SQL refers to. */
  #typedObject(exception: RowException, row: ExceptionRow, params: number[]): string {
    const { withValues, targetOf } = this.#parts;
    const { plan, place } = exception;
    const { batch } = place;
    const { keyIsBefore, key, moves, sent, before, after, at } = row;
    const columns = new ApplyColumns(plan, targetOf(exception), batch.encoding);
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    const value = (ordinal: number, isBefore: boolean): string => {
      const cell = (isBefore ? before : after) + 2 * ordinal;
      const start = batch.cells[cell]!;
      if (start < 0) return "'null'";
      const text = this.#characters(
        plan.source.columns[ordinal]!,
        bytes.subarray(start, batch.cells[cell + 1]!),
      );
      if (text !== undefined) return this.#text(JSON.stringify(text));
      const count = params.push(isBefore ? ~(2 * ordinal) : 2 * ordinal);
      return `pg_catalog.to_json($${count}::${columns.stageType(ordinal)}::pg_catalog.text)::text`;
    };
    const isKept = (ordinal: number): boolean => batch.cells[after + 2 * ordinal] === UNCHANGED_CELL;
    const object = (
      name: string,
      ordinals: readonly number[],
      isBefore: (ordinal: number) => boolean,
    ): readonly string[] => {
      const members = ordinals.map((ordinal) => {
        const head = `${JSON.stringify(plan.source.columns[ordinal]!.name)}:`;
        return `${this.#text(head)} || ${value(ordinal, isBefore(ordinal))}`;
      });
      return ordinals.length === 0 ? [] : [`'"${name}":{' || ${members.join(" || ',' || ")} || '}'`];
    };
    const members = [
      ...object("key", key, () => keyIsBefore),
      ...(moves ? object("to", key, isKept) : []),
      ...(withValues ? object("values", sent, () => false) : []),
      ...(at === undefined ? [] : [this.#text(`"at":${JSON.stringify(at)}`)]),
    ];
    return members.length === 0 ? literal("{}") : `'{' || ${members.join(" || ',' || ")} || '}'`;
  }

  /**
   * A value that is made of characters as a text, and one that has such within it as its bytes where they may be what the
   * target cannot hold. Undefined for any other: every server takes it.
   */
  #characters(column: Column, bytes: Buffer): string | undefined {
    const form = binaryForm(column) ?? "characters";
    const head = CHARACTER_FORMS.get(form);
    if (head !== undefined) return bytes.toString("utf8", head);
    const isUnsafe = !this.#parts.unicode && HOLDING_CHARACTERS.has(form);
    return isUnsafe ? `\\x${bytes.toString("hex")}` : undefined;
  }

  /** A literal of a text, or of a JSON one, which the target's encoding may not be able to hold: JSON has an escape for that. */
  #text(text: string): string {
    return literal(this.#parts.unicode ? text : text.replace(NOT_ASCII, escaped));
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what ASCII is made of
const NOT_ASCII = /[^\x00-\x7f]/g;

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Bytes in front of the characters in the binary forms that are made of these. */
const CHARACTER_FORMS: ReadonlyMap<string, number> = new Map([
  ["characters", 0],
  ["json", 0],
  ["jsonb", 1],
  ["jsonpath", 1],
]);

/** Forms that have characters within them. */
const HOLDING_CHARACTERS: ReadonlySet<string> = new Set(
  "text[] varchar[] bpchar[] name[] json[] jsonb[] jsonpath[] tsvector tsvector[] char char[]".split(" "),
);
