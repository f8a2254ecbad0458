import type { TableSchema } from "../../../core/schema.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { type KeyColumn, keyColumn } from "./key-values.ts";

/** The columns whose index holds the rows themselves, so that ranges of it are read in sequence. */
export interface RangeKey {
  readonly index: string;
  /** The first of the index's columns, as many as there are of types that ranges can be made of. */
  readonly columns: readonly KeyColumn[];
}

/**
 * The primary key or what the server takes instead; undefined where there is none, or its first column is of a type
 * that ranges are not made of.
 */
export function rangeKey(table: TableSchema): RangeKey | undefined {
  const names = table.key.map((ordinal) => table.columns[ordinal]!.name);
  const index =
    table.indexes.find(({ constraint }) => constraint === "primary-key") ??
    table.indexes.find(({ unique, columns }) => unique && columns?.join("\0") === names.join("\0"));
  if (index?.columns === undefined || names.length === 0) return undefined;
  const columns: KeyColumn[] = [];
  for (const name of index.columns) {
    const column = table.columns.find((one) => one.name === name);
    const key = column === undefined ? undefined : keyColumn(column);
    if (key === undefined) break;
    columns.push(key);
  }
  return columns.length === 0 ? undefined : { index: index.name, columns };
}

/** The columns that a partition's bounds are values of. */
export function boundColumns(table: TableSchema, names: readonly string[]): readonly KeyColumn[] {
  return names.map((name) => {
    const column = table.columns.find((one) => one.name === name);
    const key = column === undefined ? undefined : keyColumn(column);
    if (key === undefined) throw tableChanged(table.id, `has lost the column ${name} of its key`);
    return key;
  });
}
