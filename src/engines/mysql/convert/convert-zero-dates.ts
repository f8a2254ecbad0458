import type { TablePlan } from "../../../core/plan.ts";
import type { TableSchema } from "../../../core/schema.ts";

const DATES = /^(?:date|datetime|timestamp)\b/;

/**
 * Marks the columns of the source that go into columns here which hold every date that they do: 0000-00-00, 2024-02-00
 * and those of the year 0. Not where rules compare values, which needs real dates, or give columns their types.
 */
export function withZeroDates(plan: TablePlan): TablePlan {
  const { source, target, rows } = plan;
  const holds = target.columns.map(
    ({ nativeType, typedByRule }, i) =>
      typedByRule !== true && DATES.test(nativeType) && DATES.test(source.columns[i]!.nativeType),
  );
  if (!holds.includes(true) || rows?.filter !== undefined) return plan;
  const marked = { ...plan, source: marking(source, (i) => holds[i]!) };
  if (rows === undefined) return marked;
  const read = new Set(
    rows.columns.flatMap((origin, i) =>
      origin.kind === "column" && origin.mask === undefined && holds[i]! ? [origin.ordinal] : [],
    ),
  );
  return { ...marked, rows: { ...rows, reads: marking(rows.reads, (i) => read.has(i)) } };
}

function marking(table: TableSchema, holds: (ordinal: number) => boolean): TableSchema {
  const columns = table.columns.map((column, i) =>
    holds(i) ? { ...column, holdsZeroDates: true as const } : column,
  );
  return { ...table, columns };
}
