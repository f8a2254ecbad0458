import type { JournaledPartition, JournaledState, JournaledTable } from "../../../core/journal.ts";
import { tableKey } from "../../../core/schema.ts";
import type { Partition } from "../../../core/source.ts";
import type { TableShape } from "../../../core/table-shape.ts";

/** A table joined to its partitions, as the driver returns it. */
export interface StateRow {
  readonly table_owner: string;
  readonly table_name: string;
  readonly created: string;
  readonly keeps_rows: string;
  readonly state: string;
  readonly reason: string | null;
  /** JSON of a TableShape; null also in all rows of a table but its first. */
  readonly shape: string | null;
  /** null where it was never noted. */
  readonly compared: string | null;
  /** null: the table has no partitions, and the columns below are null too. */
  readonly partition_id: string | null;
  readonly range_kind: Partition["by"];
  /** The following three are JSON arrays. */
  readonly range_columns: string | null;
  readonly range_from: string | null;
  readonly range_to: string | null;
  readonly snapshot_kind: string | null;
  readonly snapshot_position: string | null;
  /** Of the same kind. */
  readonly snapshot_up_to: string | null;
  readonly estimated_rows: string;
  readonly loaded_rows: string;
  readonly done: string;
}

/** One table for all rows that speak of it, in the order of the first of them. */
export function journaledTables(rows: readonly StateRow[]): JournaledTable[] {
  const tables = new Map<string, JournaledTable & { partitions: JournaledPartition[] }>();
  for (const row of rows) {
    const id = { schema: row.table_owner, name: row.table_name };
    const key = tableKey(id);
    let table = tables.get(key);
    if (table === undefined) {
      table = {
        id,
        created: row.created === "t",
        keepsRows: row.keeps_rows === "t",
        state: row.state as JournaledState,
        reason: row.reason ?? undefined,
        shape: row.shape === null ? undefined : (JSON.parse(row.shape) as TableShape),
        ...(row.compared === "t" ? { isCompared: true } : {}),
        partitions: [],
      };
      tables.set(key, table);
    }
    if (row.partition_id !== null) table.partitions.push(partitionOf(row, row.partition_id));
  }
  return [...tables.values()];
}

function partitionOf(row: StateRow, id: string): JournaledPartition {
  const { snapshot_kind: kind, snapshot_position: text, snapshot_up_to: upTo } = row;
  const columns = texts(row.range_columns);
  return {
    partition: {
      id,
      by: row.range_kind,
      ...(columns === undefined ? {} : { columns }),
      from: texts(row.range_from),
      to: texts(row.range_to),
      estimatedRows: Number(row.estimated_rows),
    },
    snapshot: kind === null || text === null ? undefined : { kind, text },
    ...(kind === null || upTo === null ? {} : { upTo: { kind, text: upTo } }),
    done: row.done === "t",
    rows: Number(row.loaded_rows),
  };
}

function texts(json: string | null): readonly string[] | undefined {
  return json === null ? undefined : (JSON.parse(json) as string[]);
}
