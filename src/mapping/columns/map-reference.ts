import type { ForeignKey } from "../../core/schema.ts";
import type { ReferredColumn } from "./map-parts.ts";
import type { MappedTable } from "./map-table.ts";

/**
 * The columns of a foreign key by the target's names; undefined where one of them stays behind, or rules make other
 * values of one end than of the other. A table without rules about its columns is left out.
 */
export function mapReference(
  { columns, referencedColumns }: ForeignKey,
  from: MappedTable | undefined,
  to: MappedTable | undefined,
): Pick<ForeignKey, "columns" | "referencedColumns"> | undefined {
  if (from === undefined && to === undefined) return { columns, referencedColumns };
  const pairs = columns.map((name, i) => {
    const end = referred(from, name);
    const other = referred(to, referencedColumns[i]!);
    const isSame = end !== undefined && other !== undefined && end.form === other.form;
    return isSame ? { column: end.name, referenced: other.name } : undefined;
  });
  if (!pairs.every((pair) => pair !== undefined)) return undefined;
  return {
    columns: pairs.map(({ column }) => column),
    referencedColumns: pairs.map(({ referenced }) => referenced),
  };
}

/** A column of a table without rules is as it was on the source. */
function referred(table: MappedTable | undefined, name: string): ReferredColumn | undefined {
  return table === undefined ? { name, form: undefined } : table.columns.get(name);
}
