import type { FilterCondition, RowFilter } from "../../core/plan.ts";
import type { Column, TableSchema } from "../../core/schema.ts";
import { filterFault, normalised } from "../filter/filter-value.ts";
import type { SelectionRule, SourceFilter } from "../rules.ts";
import type { ColumnFindings } from "./column-findings.ts";

/** Which rows of a table the rules that select it take; undefined for all. */
export function mapFilter(
  rules: readonly SelectionRule[],
  { columns }: TableSchema,
  findings: ColumnFindings,
): RowFilter | undefined {
  if (rules.length === 0) return undefined;
  return rules.map(({ id, filters }) =>
    filters.flatMap((filter) => {
      const column = columns.findIndex(({ name }) => name === filter.column);
      if (column < 0) {
        const message = `Rule ${id} filters by the column ${filter.column}, which the table has not.`;
        findings.add("mapping.column_unknown", "error", message);
        return [];
      }
      return [{ column, conditions: conditionsOf(filter, { id, column: columns[column]!, findings }) }];
    }),
  );
}

interface Filtering {
  readonly id: number;
  readonly column: Column;
  readonly findings: ColumnFindings;
}

function conditionsOf(filter: SourceFilter, { id, column, findings }: Filtering): readonly FilterCondition[] {
  if (column.generated !== undefined && column.sends !== true) {
    findings.impossible(id, `the source computes the column ${column.name} and does not send its values`);
    return [];
  }
  return filter.conditions.flatMap((condition) => {
    const fault = filterFault(condition, column);
    if (fault === undefined) return normalised(condition, column);
    findings.impossible(id, `rows cannot be filtered by the column ${column.name}: ${fault}`);
    return [];
  });
}
