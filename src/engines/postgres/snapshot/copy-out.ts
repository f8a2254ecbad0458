import type { Column, TableSchema } from "../../../core/schema.ts";
import type { ReadRequest } from "../../../core/source.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
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
 * without a list it takes all others; a query is copied in these cases. `range`: the condition of the partition.
 */
export function copyOutSql(request: ReadRequest, range: string | undefined): string {
  const { table, format, filter, columns: ordinals } = request;
  const columns = readColumns(table, ordinals);
  const list = columns.map(({ name }) => identifier(name)).join(", ");
  const name = qualified(table.id);
  const filtered = filter === undefined ? undefined : filterCondition(filter, table);
  const conditions = [range, filtered].filter((condition) => condition !== undefined);
  const isWhole = conditions.length === 0 && table.isView !== true && !columns.some(isComputed);
  const hasList = list !== "" || ordinals === undefined;
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  const what =
    isWhole && hasList
      ? `${name}${list === "" ? "" : ` (${list})`}`
      : `(select ${list} from only ${name}${where})`;
  return `copy ${what} to stdout (format ${format === "pg-copy-binary" ? "binary" : "text"})`;
}

/** Also one that is an ordinary column to the task: the server still computes it. */
function isComputed({ generated, sends }: Column): boolean {
  return generated !== undefined || sends === true;
}
