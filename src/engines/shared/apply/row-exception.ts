import { Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import { NOWHERE } from "../../../core/row-inserts.ts";
import { displayTable } from "../../../core/schema.ts";
import type { RowException } from "./apply-counts.ts";
import { hasSameCells } from "./apply-rows.ts";
import type { ChangePlace } from "./change-ring.ts";

/**
 * What awsdms_apply_exceptions has in STATEMENT, in front of a JSON object: `insert into "s"."t" {"key": {...}}`. The
 * object's members are texts: `key` the columns that name the row, `to` the same of the row after where an update changes
 * the key, `values` what else was sent if that is wanted, `at` the position in the source's log, which rows of a full load
 * have not.
 */
export interface ExceptionRow {
  readonly verb: "insert into" | "update" | "delete from";
  /** Whether the row that was found, or looked for, is the one before the change. */
  readonly keyIsBefore: boolean;
  /** Ordinals of the columns that name the row; none where nothing does. */
  readonly key: readonly number[];
  /** The row has another key after the change. */
  readonly moves: boolean;
  /** Ordinals of the columns of the row after whose values were sent; none when they are too large to be recorded. */
  readonly sent: readonly number[];
  readonly before: number;
  readonly after: number;
  readonly at: string | undefined;
  /** The error's code and message, with the source's table. */
  readonly error: string;
}

/** Values of a row that are larger together are not recorded: neither a text here nor a server's would hold the largest. */
const MAX_VALUES = 64 << 20;

/** What is recorded of a change that was passed over. */
export function exceptionRow({ plan, place, error }: RowException): ExceptionRow {
  const { batch, at } = place;
  const [op, , before, after] = batch.ops.subarray(at, at + 4) as unknown as [number, number, number, number];
  const position = positionOf(place);
  const keyIsBefore = op === Op.delete || (op === Op.update && before >= 0);
  const { columns, key } = plan.source;
  const isSent = (ordinal: number): boolean =>
    after >= 0 && columns[ordinal]!.generated === undefined && batch.cells[after + 2 * ordinal]! >= -1;
  const sent = columns.flatMap((_, ordinal) => (isSent(ordinal) ? [ordinal] : []));
  const bytes = sent.reduce((sum, ordinal) => {
    const cell = after + 2 * ordinal;
    return batch.cells[cell]! < 0 ? sum : sum + batch.cells[cell + 1]! - batch.cells[cell]!;
  }, 0);
  return {
    verb: op === Op.insert ? "insert into" : op === Op.update ? "update" : "delete from",
    keyIsBefore,
    key,
    moves: op === Op.update && before >= 0 && !hasSameCells(key, batch, { before, after }),
    sent: bytes > MAX_VALUES ? [] : sent,
    before,
    after,
    at: position === NOWHERE ? undefined : position?.text,
    error: `${error} (${displayTable(plan.source.id)})`,
  };
}

/** The object in STATEMENT, of a change whose cells are texts. */
export function exceptionObject(exception: RowException, row: ExceptionRow, withValues: boolean): string {
  const { plan, place } = exception;
  const { bytes, cells } = place.batch;
  const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members = (ordinals: readonly number[], from: number): Record<string, string | null> =>
    Object.fromEntries(
      ordinals.map((ordinal) => {
        const start = cells[from + 2 * ordinal]!;
        const text = start < 0 ? null : texts.toString("utf8", start, cells[from + 2 * ordinal + 1]!);
        return [plan.source.columns[ordinal]!.name, text];
      }),
    );
  const { key, keyIsBefore, moves, sent, before, after, at } = row;
  const isKept = (ordinal: number): boolean => cells[after + 2 * ordinal] === UNCHANGED_CELL;
  return JSON.stringify({
    ...(key.length > 0 ? { key: members(key, keyIsBefore ? before : after) } : {}),
    ...(moves
      ? {
          to: {
            ...members(key.filter(isKept), before),
            ...members(
              key.filter((ordinal) => !isKept(ordinal)),
              after,
            ),
          },
        }
      : {}),
    ...(withValues && sent.length > 0 ? { values: members(sent, after) } : {}),
    ...(at === undefined ? {} : { at }),
  });
}

/** Of the transaction that the change is part of. */
function positionOf({ batch, at }: ChangePlace): Position | undefined {
  const { transactions } = batch;
  let low = 0;
  let high = transactions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (transactions[middle]!.end * 4 <= at) low = middle + 1;
    else high = middle;
  }
  return transactions[low]?.position;
}
