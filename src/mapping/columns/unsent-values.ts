import type { RowRules } from "../../core/plan.ts";
import type { Column, LogicalType } from "../../core/schema.ts";
import { keepsDeleted } from "../rows/row-needs.ts";
import { type ColumnFindings, listed } from "./column-findings.ts";

/**
 * Tells what rules need and changes may not hold: values from before an update where only keys are sent, and long values
 * that an update has not touched, also of a row that the target has not. Refuses deletes that only a filter could tell what
 * to make of.
 */
export function tellUnsentValues({ reads, columns, filter }: RowRules, findings: ColumnFindings): void {
  if (reads.rowIdentity === "full") return;
  const before = new Set<number>();
  const needed = new Set<number>();
  for (const origin of columns) {
    if (origin.kind === "before") before.add(origin.ordinal);
    if (origin.kind !== "expression") continue;
    for (const input of origin.expression.inputs) {
      if (input.kind === "before") before.add(input.ordinal);
      if (input.kind === "column") needed.add(input.ordinal);
    }
  }
  for (const clause of filter ?? []) for (const { column } of clause) needed.add(column);
  const named = (
    ordinals: ReadonlySet<number>,
    isTold: (column: Column, ordinal: number) => boolean,
  ): string[] =>
    [...ordinals]
      .filter((ordinal) => isTold(reads.columns[ordinal]!, ordinal))
      .map((o) => reads.columns[o]!.name);
  const unsent = named(before, (_column, ordinal) => !reads.key.includes(ordinal));
  if (unsent.length > 0) {
    const message = `Before images of ${listed(unsent)} are NULL: the source sends only the table's key from before a change.`;
    findings.add("mapping.value_may_lack", "warning", message);
  }
  const long = named(needed, ({ type }, ordinal) => isLong(type) && !reads.key.includes(ordinal));
  if (long.length > 0) {
    const message = `Rules need values of ${listed(long)}, which an update that does not touch them may not send where they are long; the table is set aside then.`;
    findings.add("mapping.value_may_lack", "warning", message);
  }
  const filtering = new Set(filter?.flatMap((clause) => clause.map(({ column }) => column)));
  const untold = named(filtering, (_column, ordinal) => !reads.key.includes(ordinal));
  if (untold.length === 0) return;
  if (keepsDeleted(columns)) {
    const message = `operation_indicator keeps deleted rows that the filter takes, but of a deleted row the source does not send ${listed(untold)}.`;
    findings.add("mapping.value_may_lack", "error", message);
    return;
  }
  const coming = new Set(columns.flatMap((origin) => (origin.kind === "column" ? origin.ordinal : [])));
  const lacking = named(
    coming,
    ({ type, generated }, o) => generated === undefined && isLong(type) && !reads.key.includes(o),
  );
  if (lacking.length === 0) return;
  const message = `An update that brings a row into the filter may not send its values of ${listed(lacking)} where they are long; the table is loaded again then.`;
  findings.add("mapping.value_may_lack", "warning", message);
}

/** A value that a server may keep apart from its row. */
function isLong(type: LogicalType): boolean {
  switch (type.kind) {
    case "string":
      return !(type.maxChars !== undefined && type.maxChars <= SHORT);
    case "bytes":
      return !(type.maxBytes !== undefined && type.maxBytes <= SHORT);
    case "decimal":
      return type.precision === undefined;
    default:
      return ["json", "xml", "array", "opaque"].includes(type.kind);
  }
}

/** No row of such values is so long that one of them is put elsewhere by itself. */
const SHORT = 255;
