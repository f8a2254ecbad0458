import type { TablePlan } from "../../../core/plan.ts";
import { type Column, type ForeignKey, type TableSchema, tableKey } from "../../../core/schema.ts";
import { columnKey } from "./convert-names.ts";

/** A table on its way into PostgreSQL's dialect. */
export interface ConvertedTable {
  readonly plan: TablePlan;
  /** The target's columns by the source's names. */
  readonly columns: ReadonlyMap<string, Column>;
  readonly indexes: TableSchema["indexes"];
}

/**
 * Keys of the columns, by target table and source name, that are to be bigint though the source's are unsigned: identity
 * columns, which cannot be numeric, and all that foreign keys tie to them.
 */
export function signedColumns(tables: readonly TablePlan[]): ReadonlySet<string> {
  const largest = new Set<string>();
  const signed = new Set<string>();
  for (const { target } of tables) {
    for (const { name, type, identity } of target.columns) {
      if (type.kind !== "int" || type.bits !== 64 || !type.unsigned) continue;
      largest.add(columnKey(target.id, name));
      if (identity !== undefined) signed.add(columnKey(target.id, name));
    }
  }
  const tied = tables.flatMap(({ target }) => target.foreignKeys.flatMap((key) => pairsOf(target, key)));
  for (let before = -1; before < signed.size; ) {
    before = signed.size;
    for (const pair of tied) {
      if (!pair.some((key) => signed.has(key))) continue;
      for (const key of pair) if (largest.has(key)) signed.add(key);
    }
  }
  return signed;
}

function pairsOf({ id }: TableSchema, key: ForeignKey): string[][] {
  return key.columns.map((column, i) => [
    columnKey(id, column),
    columnKey(key.references, key.referencedColumns[i]!),
  ]);
}

const ACTIONS = /\bon\s+(delete|update)\s+(cascade|restrict|set\s+null|set\s+default|no\s+action)\b/gi;

/** A foreign key in PostgreSQL's words, or why it cannot be one; that follows "The foreign key". */
export function convertReference(
  key: ForeignKey,
  { columns }: ConvertedTable,
  tables: ReadonlyMap<string, ConvertedTable>,
): ForeignKey | string {
  const referenced = tables.get(tableKey(key.references));
  if (referenced === undefined) return "refers to a table that is not moved";
  const own = key.columns.map((name) => columns.get(name)!);
  const others = key.referencedColumns.map((name) => referenced.columns.get(name)!);
  const names = others.map(({ name }) => name);
  const isUnique = referenced.indexes.some(
    ({ unique, columns: of }) =>
      unique && of?.length === names.length && names.every((name) => of.includes(name)),
  );
  if (!isUnique) return "refers to columns that are not unique together";
  const unlike = own.find(({ nativeType }, i) => familyOf(nativeType) !== familyOf(others[i]!.nativeType));
  if (unlike !== undefined) return `leads from the column ${unlike.name} to one of another type`;
  const actions = [...key.native.matchAll(ACTIONS)].map(([text]) => text.toLowerCase().replace(/\s+/g, " "));
  return {
    ...key,
    columns: own.map(({ name }) => name),
    referencedColumns: names,
    native: actions.join(" "),
  };
}

/** Types that one comparison serves. */
function familyOf(nativeType: string): string {
  const name = nativeType.replace(/\(.*?\)/, "");
  if (name === "smallint" || name === "integer" || name === "bigint") return "integer";
  return name === "character" || name === "character varying" ? "text" : name;
}
