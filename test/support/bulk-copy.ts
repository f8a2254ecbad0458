import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { MigrationError, type TableOutcome } from "../../src/core/error.ts";
import type { JournalRequest } from "../../src/core/journal.ts";
import type { TablePlan } from "../../src/core/plan.ts";
import type { BulkFormat } from "../../src/core/row-chunk.ts";
import type { TableId, TableSchema } from "../../src/core/schema.ts";
import type { Partition, PartitionSize, Snapshot } from "../../src/core/source.ts";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { describe } from "../../src/engines/postgres/catalog/catalog.ts";
import { connect } from "../../src/engines/postgres/connection/connection.ts";
import { LoaderPool } from "../../src/engines/postgres/load/loader.ts";
import { targetFormats } from "../../src/engines/postgres/snapshot/bulk-format.ts";
import { openSnapshot } from "../../src/engines/postgres/snapshot/snapshot.ts";
import { qualified } from "../../src/engines/shared/identifier.ts";
import type { PostgresServer } from "./postgres-server.ts";

export const unaborted: AbortSignal = new AbortController().signal;

export const WHOLE: PartitionSize = {
  rowsPerPartition: Infinity,
  bytesPerPartition: Infinity,
};

/** Small partitions, and all tables that have several of them are read by one scan. */
export const SHARED: PartitionSize = {
  rowsPerPartition: 300,
  bytesPerPartition: 100_000,
  bytesReadAtOnce: Infinity,
};

export async function describeTables(
  endpoint: EndpointConfig,
  ids: readonly TableId[],
): Promise<readonly TableSchema[]> {
  const client = await connect(endpoint, { side: "source", purpose: "test" }, unaborted);
  try {
    return (await describe(client, ids)).tables;
  } finally {
    await client.end();
  }
}

export async function describeTable(endpoint: EndpointConfig, id: TableId): Promise<TableSchema> {
  const [table] = await describeTables(endpoint, [id]);
  assert(table !== undefined);
  return table;
}

/** The same table on both sides. */
export function samePlan(source: TableSchema): TablePlan {
  return { source, target: source, loadOrder: 0 };
}

/** Throws what went wrong with the one table. */
export function unwrap<Value>(outcome: TableOutcome<Value>): Value {
  if (outcome instanceof MigrationError) throw outcome;
  return outcome;
}

export async function partitionsOf(
  snapshot: Snapshot,
  table: TableSchema,
  size: PartitionSize,
): Promise<readonly Partition[]> {
  const [partitions] = await snapshot.partition([table], size, unaborted);
  return unwrap(partitions!);
}

export interface CopyRequest {
  readonly source: EndpointConfig;
  readonly target: EndpointConfig;
  readonly plan: TablePlan;
  readonly journal: JournalRequest;
  readonly size: PartitionSize;
}

export interface Copied {
  readonly format: BulkFormat;
  readonly partitions: readonly Partition[];
  readonly rows: number;
}

/** Full load of one table, as the pipeline does it, from a snapshot of its own or a given one. */
export async function copyTable(request: CopyRequest, given?: Snapshot): Promise<Copied> {
  const { source, target, plan, size } = request;
  await using own =
    given === undefined
      ? await openSnapshot(source, { taskId: "copy", tables: [plan.source], anchor: "none" }, unaborted)
      : undefined;
  const snapshot = given ?? own!;
  await using journal = await openJournal(target, request.journal, unaborted);
  await using loaders = new LoaderPool(target);
  const client = await connect(target, { side: "target", purpose: "test" }, unaborted);
  const [accepted] = (await targetFormats(client, [plan]).finally(() => client.end())).map(unwrap);
  const format = snapshot.bulkFormats(plan.source).find((candidate) => accepted!.includes(candidate))!;
  const partitions = await partitionsOf(snapshot, plan.source, size);
  const { position } = snapshot;
  await journal.planTables(
    [{ id: plan.source.id, created: true, snapshot: position, partitions }],
    unaborted,
  );
  let rows = 0;
  let told = 0;
  const copyPartition = async (partition: Partition): Promise<void> => {
    await using loader = await loaders.open({ ...request.journal, plan, partition, format }, unaborted);
    for await (const chunk of snapshot.read({ table: plan.source, partition, format }, unaborted)) {
      await loader.write(chunk);
      told += chunk.rows;
    }
    const finished = await loader.finish();
    rows += finished.rows;
  };
  // Shares are read side by side, which is what they are for.
  if (partitions.every(({ by }) => by === "share")) await Promise.all(partitions.map(copyPartition));
  else for (const partition of partitions) await copyPartition(partition);
  assert.equal(told, rows, "rows counted in chunks and rows that the target took");
  return { format, partitions, rows };
}

/** Number of a table's rows and one hash over all of them, whatever their order. */
export async function fingerprint(server: PostgresServer, database: string, table: TableId): Promise<string> {
  const [row] = await server.query(
    `select count(*) || ' ' || coalesce(md5(string_agg(h, '' order by h)), '') as print
       from (select md5(t::text) as h from only ${qualified(table)} t) s`,
    database,
  );
  return row.print;
}
