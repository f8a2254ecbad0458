import type { TableSchema } from "../../../core/schema.ts";
import type { Partition } from "../../../core/source.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { withNulls } from "../../shared/snapshot/wanted-ranges.ts";
import { identifier } from "../catalog/identifier.ts";
import type { KeyColumn } from "./key-values.ts";
import { boundColumns } from "./range-key.ts";

/** Values of the first columns of a key: all rows with the same ones lie on one side of it. */
export type Bound = readonly string[];

/** SQL condition that holds for exactly the rows of a range; undefined for another partition. */
export function rangeCondition(table: TableSchema, partition: Partition): string | undefined {
  const { by, from, to } = partition;
  if (by === "stored" || (from === undefined && to === undefined)) return undefined;
  const columns = boundColumns(table, partition.columns ?? []);
  const lengths = [from?.length ?? 1, to?.length ?? 1];
  if (lengths.some((length) => length === 0 || length > columns.length)) {
    throw tableChanged(table.id, "has another key than when it was cut");
  }
  return withNulls(betweenSql(columns, from, to), partition, { table, identifier });
}

/** Rows from one bound on and before the other, in the order of the columns' index. */
export function betweenSql(
  columns: readonly KeyColumn[],
  from: Bound | undefined,
  to: Bound | undefined,
): string {
  const conditions: string[] = [];
  if (from !== undefined) conditions.push(...fromSql(columns, from));
  if (to !== undefined) conditions.push(...beforeSql(columns, to));
  return conditions.join(" and ");
}

/** Servers find no range in a comparison of rows. The first condition, which the second implies, gives them one. */
function fromSql(columns: readonly KeyColumn[], bound: Bound): string[] {
  const first = compare(columns[0]!, ">=", bound[0]!);
  return bound.length === 1 ? [first] : [first, lexicographic(columns, bound, ">", ">=")];
}

function beforeSql(columns: readonly KeyColumn[], bound: Bound): string[] {
  if (bound.length === 1) return [compare(columns[0]!, "<", bound[0]!)];
  return [compare(columns[0]!, "<=", bound[0]!), lexicographic(columns, bound, "<", "<")];
}

/** (a > 1 or (a = 1 and (b > 2 or (b = 2 and c >= 3)))) */
function lexicographic(
  columns: readonly KeyColumn[],
  bound: Bound,
  strict: ">" | "<",
  last: ">=" | "<",
): string {
  let condition = "";
  for (let i = bound.length - 1; i >= 0; i--) {
    const column = columns[i]!;
    const value = bound[i]!;
    condition =
      i === bound.length - 1
        ? compare(column, last, value)
        : `(${compare(column, strict, value)} or (${compare(column, "=", value)} and ${condition}))`;
  }
  return condition;
}

export function compare({ name, literal }: KeyColumn, operator: string, value: string): string {
  return `${identifier(name)} ${operator} ${literal(value)}`;
}
