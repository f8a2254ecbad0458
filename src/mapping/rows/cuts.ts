import { MigrationError } from "../../core/error.ts";
import { type ColumnOrigin, readTable, type TablePlan } from "../../core/plan.ts";
import { type Column, displayTable } from "../../core/schema.ts";
import { sequenceLength } from "./utf8.ts";

/** Of the text form of bytes: `\x` before two digits for each. */
const BYTES_PREFIX = 2;

/** Most bytes that come of a value in PostgreSQL's binary form; undefined for all. */
export function binaryCut(origin: ColumnOrigin): number | undefined {
  return origin.kind === "expression" ? undefined : origin.cut;
}

/** The same of its text form, escapes of COPY's format left out. */
export function textCut(origin: ColumnOrigin, plan: TablePlan): number | undefined {
  if (origin.kind === "expression" || origin.cut === undefined) return undefined;
  return cutsBytes(origin, plan) ? BYTES_PREFIX + 2 * origin.cut : origin.cut;
}

/** Whether what is cut off is bytes, and not characters. */
export function cutsBytes(origin: ColumnOrigin, plan: TablePlan): boolean {
  return origin.kind !== "expression" && isBytes(readTable(plan).columns[origin.ordinal]!);
}

function isBytes({ type }: Pick<Column, "type">): boolean {
  return type.kind === "bytes";
}

/** Where the characters end that are whole in the first `limit` bytes of [start, end), of which there are more. */
export function endOfWhole(bytes: Uint8Array, start: number, limit: number): number {
  const end = start + limit;
  // No character has more than four bytes: what has none that begins there is no text of UTF-8.
  for (let at = end - 1; at >= Math.max(start, end - 3); at--) {
    const length = sequenceLength(bytes[at]!);
    if (length > 0) return at + length > end ? at : end;
  }
  return end;
}

/** The value of a text form that fits. */
export function cutText(text: string, limit: number | undefined): string {
  const bytes = Buffer.from(text);
  if (limit === undefined || bytes.length <= limit) return text;
  return bytes.toString("utf8", 0, endOfWhole(bytes, 0, limit));
}

/** For a table that takes no value that is cut off. */
export function valueCut(plan: TablePlan, origin: ColumnOrigin): MigrationError {
  const { id } = plan.source;
  const column = origin.kind === "expression" ? "" : readTable(plan).columns[origin.ordinal]!.name;
  return new MigrationError("mapping.value_cut", {
    message: `A value of the column ${column} is longer than large objects may be, and is not to be cut off.`,
    subject: displayTable(id),
    table: id,
  });
}
