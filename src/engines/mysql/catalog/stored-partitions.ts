import { type StoredPartition, type TableId, tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";

/** A partition, or one of its subpartitions; null: it has none. */
interface StoredRow extends OfTable {
  readonly name: string;
  readonly subpartition: string | null;
}

/** Asks for partitions in their order; `where` says of which tables. */
export function partitionsSql(where: string): string {
  return `
    select table_schema as \`schema\`, table_name as \`table\`, partition_name as name,
           subpartition_name as subpartition
      from information_schema.partitions where ${where} and partition_name is not null
     order by table_name, partition_ordinal_position, subpartition_ordinal_position`;
}

/** The partitions of one table, from its rows. */
export function storedPartitions(rows: readonly StoredRow[]): readonly StoredPartition[] {
  const parts = Map.groupBy(rows, ({ name }) => name);
  return [...parts].map(([name, list]) => ({
    name,
    subpartitions: list.flatMap(({ subpartition }) => subpartition ?? []),
  }));
}

/** Of tables that are known to have some, by the table's key: the server opens every table that it is asked about. */
export async function describePartitions(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, readonly StoredPartition[]>> {
  const rows = await selectOfTables<StoredRow>(client, ids, partitionsSql);
  return new Map(ids.map((id) => [tableKey(id), storedPartitions(rows.get(tableKey(id)) ?? [])]));
}
