import type { ColumnOrigin, RowRules, TablePlan } from "../../core/plan.ts";

/** Ordinals into `reads` of the columns that a full load needs, ascending; a filter's are the source's own business. */
export function readOrdinals({ source, rows }: TablePlan): readonly number[] {
  const needed = new Set<number>();
  for (const [i, origin] of rows!.columns.entries()) {
    if (source.columns[i]!.generated !== undefined) continue;
    if (origin.kind === "column") needed.add(origin.ordinal);
    if (origin.kind !== "expression") continue;
    for (const input of origin.expression.inputs) if (input.kind === "column") needed.add(input.ordinal);
  }
  return [...needed].sort((a, b) => a - b);
}

/** Whether rows of a full load are other than those columns of the source's, in its order: then they are read as text. */
export function makesRows({ source, rows }: TablePlan): boolean {
  if (rows === undefined) return false;
  const sent = rows.columns.filter((_, i) => source.columns[i]!.generated === undefined);
  return sent.some((origin, i) => {
    if (origin.kind !== "column" || origin.mask !== undefined) return true;
    const before = sent[i - 1];
    return before?.kind === "column" && before.ordinal >= origin.ordinal;
  });
}

/** Whether values of its rows are cut off, which can be done in any format. */
export function cutsRows({ rows }: TablePlan): boolean {
  return rows?.columns.some((origin) => origin.kind === "column" && origin.cut !== undefined) === true;
}

/** Whether changes have to come as text: a value is made, or looked at. */
export function needsText({ rows }: TablePlan): boolean {
  return rows !== undefined && (rows.filter !== undefined || rows.columns.some(isMade));
}

function isMade(origin: ColumnOrigin): boolean {
  return origin.kind === "expression" || (origin.kind === "column" && origin.mask !== undefined);
}

/** Whether more of the row before a change is needed than the key that the source sends of it. */
export function needsBefore({ reads, columns, filter = [] }: RowRules): boolean {
  const isOutside = (ordinal: number): boolean => !reads.key.includes(ordinal);
  return (
    filter.some((clause) => clause.some(({ column }) => isOutside(column))) ||
    columns.some((origin) => {
      if (origin.kind === "before") return isOutside(origin.ordinal);
      if (origin.kind === "column") return false;
      return origin.expression.inputs.some((input) => input.kind === "before" && isOutside(input.ordinal));
    })
  );
}

/** Whether deletes are told by an expression (`operation_indicator`), so that the row stays. */
export function keepsDeleted(columns: readonly ColumnOrigin[]): boolean {
  return columns.some(
    (origin) =>
      origin.kind === "expression" &&
      origin.expression.inputs.some((input) => input.kind === "header" && input.name === "operation-letter"),
  );
}
