import type { TableSchema } from "../../../core/schema.ts";
import type { TableIndex } from "./catalog-indexes.ts";

/** By what a table's rows are told apart. */
export interface TableIdentity extends Pick<TableSchema, "key" | "rowIdentity" | "indexes"> {
  /** Columns of each index that tells rows apart, the one that is used first. */
  readonly keys: readonly string[];
}

export function tableIdentity(
  columns: TableSchema["columns"],
  indexes: readonly TableIndex[],
): TableIdentity {
  const identifying = identifyingIndexes(columns, indexes);
  const [used] = identifying;
  const key = keyOf(columns, used);
  return {
    key,
    rowIdentity: key.length > 0 ? "key" : "full",
    indexes: indexes.map(({ index }) =>
      index === used && !isPrimary(index) ? { ...index, replicaIdentity: true } : index,
    ),
    keys: identifying.map((index) => (index.columns ?? []).join(",")),
  };
}

/** The primary key, then unique indexes of columns that are never NULL: the server takes the first of all. */
function identifyingIndexes(
  columns: TableSchema["columns"],
  indexes: readonly TableIndex[],
): TableSchema["indexes"] {
  const stored = new Set(columns.filter(isStored).map(({ name }) => name));
  const isUsable = ({ identifies, index }: TableIndex): boolean =>
    isPrimary(index) || (identifies && index.columns!.every((name) => stored.has(name)));
  return indexes.filter(isUsable).map(({ index }) => index);
}

function keyOf(
  columns: TableSchema["columns"],
  index: TableSchema["indexes"][number] | undefined,
): readonly number[] {
  const ordinals = new Map(columns.map(({ name }, ordinal) => [name, ordinal]));
  return (index?.columns ?? []).flatMap((name) => ordinals.get(name) ?? []);
}

function isPrimary({ constraint }: TableSchema["indexes"][number]): boolean {
  return constraint === "primary-key";
}

function isStored({ generated }: TableSchema["columns"][number]): boolean {
  return generated === undefined;
}
