import type { DigestForm, RowDigests } from "../../../core/row-digest.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";

/** SQL of a column's value in a row's text; of an open form that of its length, too. Undefined for a form that it is not written in. */
type ValueSql = (column: Column, form: DigestForm) => readonly string[] | undefined;

interface WrittenColumn {
  readonly column: Column;
  readonly values: readonly string[];
}

/** The columns of a row's text, in its order, as a server is to write them. */
export function writtenColumns(
  table: TableSchema,
  columns: RowDigests["columns"],
  valueSql: ValueSql,
): readonly WrittenColumn[] {
  return columns.map(({ ordinal, form }) => {
    const column = table.columns[ordinal]!;
    const values = valueSql(column, form);
    if (values === undefined) throw new RangeError(`${column.name} is not written as ${form.kind}`);
    return { column, values };
  });
}
