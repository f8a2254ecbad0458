import type { TableSchema } from "../../../core/schema.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import { silentKeyTexts } from "../catalog/table-shape.ts";
import { whyOtherValues } from "./retyped-column.ts";

/** A copy of a table that is to take its place, as far as the log tells of it. */
export interface TableCopy {
  readonly table: TableSchema;
  /** It was made with these columns, before it was altered; undefined where that was not seen. */
  readonly madeWith: TableShape["columns"] | undefined;
  /** Why the rows that are copied into it may be others; follows "The table". */
  readonly refusal: string | undefined;
}

export type SwappedTable = { readonly table: TableSchema } | { readonly how: string };

/**
 * What a table becomes when a copy of it, which has been altered and has all its rows, takes its place: columns of one name
 * are one. `how`: why its rows may be others; follows "The table".
 */
export function swappedTable(before: TableSchema, copy: TableCopy): SwappedTable {
  const refusal = copy.refusal ?? whyOtherRows(before, copy);
  if (refusal !== undefined) return { how: refusal };
  const known = before.shape!;
  const numbers = new Map(known.columns.map((column) => [column.name.toLowerCase(), column]));
  let { columnsEver } = known;
  const columns = copy.table.shape!.columns.map((column) => {
    const was = numbers.get(column.name.toLowerCase());
    return was === undefined
      ? { ...column, number: ++columnsEver }
      : { ...column, number: was.number, fill: was.fill };
  });
  const { foreignKeys } = before;
  const { keys = [], collation } = copy.table.shape!;
  const shape = {
    ...known,
    ...{ columnsEver, columns, keys, silentKeys: silentKeyTexts(foreignKeys) },
    ...(collation === undefined ? {} : { collation }),
  };
  return { table: { ...before, ...copy.table, id: before.id, foreignKeys, shape } };
}

function whyOtherRows(before: TableSchema, { table, madeWith }: TableCopy): string | undefined {
  const columns = (one: TableSchema): ReadonlyMap<string, number> =>
    new Map(one.columns.map(({ name }, at) => [name.toLowerCase(), at]));
  const [was, is] = [columns(before), columns(table)];
  const gone = [...was.keys()].some((name) => !is.has(name));
  const fresh = [...is.keys()].filter((name) => !was.has(name));
  const made = new Map(madeWith?.map(({ number, name }) => [number, name]));
  // Whether a tool copies the values of a column that has another name is up to its options.
  const isRenamed =
    madeWith === undefined
      ? gone && fresh.length > 0
      : table.shape!.columns.some(({ number, name }) => (made.get(number) ?? name) !== name);
  if (isRenamed) return "was replaced by a copy that may have another name for a column";
  for (const [name, at] of is) {
    const one = { column: table.columns[at]!, shape: table.shape!.columns[at]! };
    const ordinal = was.get(name);
    if (ordinal === undefined) {
      if (one.shape.varies === true)
        return `got the column ${one.column.name}, with a value that only its rows tell`;
      continue;
    }
    const old = { column: before.columns[ordinal]!, shape: before.shape!.columns[ordinal]! };
    // Which session has copied the rows is not known.
    const how = whyOtherValues(old, one, false);
    if (how !== undefined) return how;
  }
  const unique = (one: TableSchema): string[] =>
    one.indexes
      .filter((index) => index.unique)
      .map(({ native }) => native.replace(/^PRIMARY KEY|^UNIQUE/, ""));
  const known = new Set(unique(before));
  if (unique(table).some((native) => !known.has(native))) {
    return "was replaced by a copy with another unique index, into which not all rows may have gone";
  }
  return table.foreignKeys.length > 0 || before.foreignKeys.length > 0
    ? "was replaced by a copy, and has foreign keys"
    : undefined;
}
