import { type TableId, tableKey } from "../../../core/schema.ts";
import type { ColumnSteps } from "./alter-steps.ts";

/** What may be done to the table above several that are altered. */
export interface Together {
  /** All that is below it gets the same columns. */
  readonly columns: boolean;
  /** And the same defaults and NOT NULL. */
  readonly properties: boolean;
}

/** A table that is altered, by its name on the target. */
interface AlteredPart {
  readonly id: TableId;
  readonly steps: ColumnSteps;
}

/**
 * Whether tables below one are altered as one, as by a statement about the table above them. What was detached on the
 * source, or altered by itself, may still be a partition here. `others`: tables to which changes go, and which are not
 * altered.
 */
export function alteredTogether(
  parts: readonly AlteredPart[],
  { below, others }: { readonly below: readonly TableId[]; readonly others: readonly TableId[] },
): Together {
  const altered = new Set(parts.map(({ id }) => tableKey(id)));
  const going = new Set(others.map(tableKey).filter((key) => !altered.has(key)));
  const isWhole = !below.some((id) => going.has(tableKey(id)));
  const columns = isWhole && isSame(parts.map(({ steps }) => columnsText(steps)));
  return { columns, properties: columns && isSame(parts.map(({ steps }) => propertiesText(steps))) };
}

/** Whether a table gets, loses or changes columns, and not only their defaults and NOT NULL. */
export function altersColumns({ dropped, renamed, retyped, added }: ColumnSteps): boolean {
  return [dropped, renamed, retyped, added].some((steps) => steps.length > 0);
}

/** Partitions need not have their columns in one order. */
function columnsText({ dropped, renamed, retyped, added }: ColumnSteps): string {
  const typed = (columns: ColumnSteps["added"]): string[] =>
    columns
      .map(({ name, nativeType, collation }) => JSON.stringify([name, nativeType, collation]))
      .toSorted();
  const names = renamed.map(({ from, to }) => JSON.stringify([from, to])).toSorted();
  return JSON.stringify([dropped.toSorted(), names, typed(retyped), typed(added)]);
}

function propertiesText({ touched, retyped, added }: ColumnSteps): string {
  const columns = [...new Set([...touched, ...retyped, ...added])];
  return JSON.stringify(
    columns.map((one) => JSON.stringify([one.name, one.default, one.nullable])).toSorted(),
  );
}

function isSame(texts: readonly string[]): boolean {
  return texts.every((text) => text === texts[0]);
}
