import type { FilterCondition, RowFilter } from "../../../core/plan.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";
import { comparisonSql, filterSql, hasValue } from "../../shared/snapshot/filter-sql.ts";
import { identifier } from "../catalog/identifier.ts";
import type { ZeroDates } from "../values/zero-dates.ts";
import { comparison, isRealDate, momentLiteral } from "./value-comparison.ts";

/**
 * SQL condition that holds for exactly the rows that a filter takes. Numbers and times are compared by value, with
 * literals that leave indexes usable; texts by their code points, whatever their character sets and collations are.
 * Dates that no calendar has are what `zeroDates` makes of them; where that is an error, their rows are read and meet it.
 */
export function filterCondition(filter: RowFilter, table: TableSchema, zeroDates: ZeroDates): string {
  return filterSql(filter, table, (condition, column) => {
    const { kind } = column.type;
    const sql = conditionSql(condition, column);
    return kind === "date" || kind === "timestamp"
      ? withZeroDates(sql, { condition, column, zeroDates })
      : sql;
  });
}

function conditionSql(condition: FilterCondition, column: Column): string {
  if (hasValue(condition)) return comparisonSql(condition, comparison(column));
  return condition.operator === "null" ? isNull(column) : `not ${isNull(column)}`;
}

/** Servers take 0000-00-00 for NULL in a column that never is. */
function isNull({ name, nullable }: Column): string {
  return nullable ? `(${identifier(name)} is null)` : "false";
}

interface DateCondition {
  readonly condition: FilterCondition;
  readonly column: Column;
  readonly zeroDates: ZeroDates;
}

function withZeroDates(sql: string, { condition, column, zeroDates }: DateCondition): string {
  const isReal = isRealDate(identifier(column.name));
  if (zeroDates === "epoch") {
    if (!hasValue(condition)) return sql;
    const epoch = momentLiteral(column.type.kind, "1970-01-01");
    const ofEpoch = comparisonSql(condition, (operator, value) => {
      return `${epoch} ${operator} ${momentLiteral(column.type.kind, value)}`;
    });
    return `((${sql} and ${isReal}) or (not ${isReal} and ${ofEpoch}))`;
  }
  const isError = zeroDates === "error" || !column.nullable;
  return isError || condition.operator === "null" ? `(${sql} or not ${isReal})` : `(${sql} and ${isReal})`;
}
