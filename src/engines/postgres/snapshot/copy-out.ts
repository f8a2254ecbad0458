import type { Column, TableSchema } from "../../../core/schema.ts";
import type { ReadRequest } from "../../../core/source.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { ownRowsSql } from "../catalog/own-rows.ts";
import { chosenSql } from "../digest/digest-sql.ts";
import { filterCondition } from "./filter-condition.ts";

/** The columns that are wanted by their ordinals, or all but the generated ones. */
export function readColumns({ columns }: TableSchema, ordinals?: readonly number[]): readonly Column[] {
  return (
    ordinals?.map((ordinal) => columns[ordinal]!) ??
    columns.filter(({ generated }) => generated === undefined)
  );
}

/**
 * COPY of a table itself is the fastest. It takes no view, no condition and no columns that the server computes, and
 * without a list it takes all others; a query is copied in these cases. `conditions`: of rowConditions().
 */
export function copyOutSql(request: ReadRequest, conditions: readonly string[]): string {
  const { table, format, columns: ordinals } = request;
  const columns = readColumns(table, ordinals);
  const list = columns.map(({ name }) => identifier(name)).join(", ");
  const isWhole = conditions.length === 0 && table.isView !== true && !columns.some(isComputed);
  const hasList = list !== "" || ordinals === undefined;
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  const what =
    isWhole && hasList
      ? `${qualified(table.id)}${list === "" ? "" : ` (${list})`}`
      : `(select ${list} from ${ownRowsSql(table)}${where})`;
  return `copy ${what} to stdout (format ${format === "pg-copy-binary" ? "binary" : "text"})`;
}

/** What holds for the rows that are wanted. `range`: the condition of the partition; `isUtf8`: the database's encoding is. */
export function rowConditions(
  { table, filter, digested }: Pick<ReadRequest, "table" | "filter" | "digested">,
  { range, isUtf8 }: { readonly range: string | undefined; readonly isUtf8: boolean },
): readonly string[] {
  return [
    ...(range === undefined ? [] : [range]),
    ...(filter === undefined ? [] : [filterCondition(filter, table)]),
    ...(digested === undefined ? [] : [chosenSql(table, digested, isUtf8)]),
  ];
}

/** Also one that is an ordinary column to the task: the server still computes it. */
function isComputed({ generated, sends }: Column): boolean {
  return generated !== undefined || sends === true;
}
