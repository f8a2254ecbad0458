import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TableId, TableSchema } from "../../src/core/schema.ts";
import type { Partition, PartitionSize, Snapshot, SnapshotRequest } from "../../src/core/source.ts";
import { openSnapshot } from "../../src/engines/postgres/snapshot/snapshot.ts";
import { describeTable, unaborted } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A database with the table public.t, to be read from. */
export interface SnapshotSource {
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly table: TableSchema;
}

/** The table's name. */
export const id: TableId = { schema: "public", name: "t" };

/** All of a table. */
export const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };

/** So small that a table of 5,000 rows has many partitions. */
export const SMALL: PartitionSize = { rowsPerPartition: 300, bytesPerPartition: 100_000 };

/** 5,000 rows with keys that lie as the rows do; k and v are spread over many partitions. */
export const FILLED = `create table t (id int primary key, v int, pad text default repeat('x', 60));
  insert into t select i, i from generate_series(1, 5000) i; analyze t`;

export async function snapshotSource(server: PostgresServer, ddl: string): Promise<SnapshotSource> {
  const database = await server.createDatabase("source");
  await server.query(ddl, database);
  const endpoint = endpointOf(server, database);
  return { database, endpoint, table: await describeTable(endpoint, id) };
}

export function openSnapshotOf(
  source: SnapshotSource,
  request: Partial<SnapshotRequest> = {},
): Promise<Snapshot> {
  const { endpoint, table } = source;
  return openSnapshot(endpoint, { taskId: "task", tables: [table], anchor: "none", ...request }, unaborted);
}

/** Reads a partition to its end; resolves with how many rows it told of. */
export async function rowsOf(snapshot: Snapshot, table: TableSchema, partition: Partition): Promise<number> {
  let rows = 0;
  const request = { table, partition, format: "pg-copy-text" } as const;
  for await (const chunk of snapshot.read(request, unaborted)) rows += chunk.rows;
  return rows;
}

/** Sessions of one purpose in a database. */
export async function sessionsOf(server: PostgresServer, database: string, purpose: string): Promise<number> {
  const [row] = await server.query(
    `select count(*)::int as n from pg_stat_activity where application_name = '${purpose}' and datname = '${database}'`,
  );
  return row.n;
}
