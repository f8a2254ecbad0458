import type { FilterCondition, RowFilter } from "../../../core/plan.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";

/** A condition that compares with values. */
export type ValueCondition = Exclude<FilterCondition, { readonly operator: "null" | "notnull" }>;

export function hasValue(condition: FilterCondition): condition is ValueCondition {
  return condition.operator !== "null" && condition.operator !== "notnull";
}

export type Operator = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** SQL that compares a column with a value in the text form of its logical type; NULL where the column is. */
export type Comparison = (operator: Operator, value: string) => string;

/** SQL condition of a filter; `conditionSql` says what holds for one of its columns. */
export function filterSql(
  filter: RowFilter,
  { columns }: TableSchema,
  conditionSql: (condition: FilterCondition, column: Column) => string,
): string {
  const clauses = filter.map((clause) => {
    const parts = clause.map(({ column, conditions }) => {
      const ofColumn = conditions.map((condition) => conditionSql(condition, columns[column]!));
      return joined(ofColumn, "or");
    });
    return joined(parts, "and");
  });
  return joined(clauses, "or");
}

/** Of nothing, "and" holds and "or" does not. */
function joined(parts: readonly string[], operator: "and" | "or"): string {
  if (parts.length === 0) return String(operator === "and");
  return parts.length === 1 ? parts[0]! : `(${parts.join(` ${operator} `)})`;
}

const OPERATORS = { eq: "=", noteq: "<>", lte: "<=", gte: ">=" } as const;

export function comparisonSql(condition: ValueCondition, compare: Comparison): string {
  switch (condition.operator) {
    case "between":
      return `(${compare(">=", condition.from)} and ${compare("<=", condition.to)})`;
    case "notbetween":
      return `(${compare("<", condition.from)} or ${compare(">", condition.to)})`;
    default:
      return compare(OPERATORS[condition.operator], condition.value);
  }
}

/** Digits as SQL writes a number. Throws on what is none. */
export function numberSql(text: string): string {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new RangeError("not a number");
  return text.startsWith("-") ? `(${text})` : text;
}
