import assert from "node:assert/strict";
import { MigrationError } from "../../src/core/error.ts";
import type { BulkFormat, RowChunk } from "../../src/core/row-chunk.ts";
import type { BucketDigest } from "../../src/core/row-digest.ts";
import type { TableSchema } from "../../src/core/schema.ts";
import type { Partition, PartitionSize, Snapshot } from "../../src/core/source.ts";
import { describe } from "../../src/engines/mysql/catalog/catalog.ts";
import { connect } from "../../src/engines/mysql/connection/connection.ts";
import { openBulkSession } from "../../src/engines/postgres/connection/bulk-session.ts";
import { endpointOf } from "./endpoint.ts";
import type { MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";

const unaborted = new AbortController().signal;

/** All of a table. */
export const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };

/** Tables as the source describes them, in the order of their names. */
export async function describeTables(
  server: MysqlServer,
  schema: string,
  names: readonly string[],
): Promise<readonly TableSchema[]> {
  const client = await connect(server.endpoint(), { side: "source", purpose: "test" }, unaborted);
  try {
    const ids = names.map((name) => ({ schema, name }));
    const { tables } = await describe(client, ids, { booleans: false, timesOfDay: false });
    assert.equal(tables.length, names.length);
    return tables;
  } finally {
    await client.end();
  }
}

/** A table's partitions, as they are after they were written down and read again. */
export async function partitionsOf(
  snapshot: Snapshot,
  table: TableSchema,
  size: PartitionSize,
): Promise<readonly Partition[]> {
  const [partitions] = await snapshot.partition([table], size, unaborted);
  if (partitions instanceof MigrationError) throw partitions;
  return JSON.parse(JSON.stringify(partitions)) as Partition[];
}

export function read(
  snapshot: Snapshot,
  table: TableSchema,
  partition = whole,
  format: BulkFormat = "pg-copy-text",
): AsyncIterable<RowChunk> {
  return snapshot.read({ table, partition, format }, unaborted);
}

/** Reads a partition to its end; resolves with how many rows it told of. */
export async function rowsOf(snapshot: Snapshot, table: TableSchema, partition = whole): Promise<number> {
  let rows = 0;
  for await (const chunk of read(snapshot, table, partition)) rows += chunk.rows;
  return rows;
}

export interface Loading {
  readonly server: PostgresServer;
  readonly database: string;
  /** What follows COPY: a table, and its columns if not all. */
  readonly into: string;
  /** "pg-copy-text" when left out. */
  readonly format?: BulkFormat;
}

/** Loads partitions of a table into PostgreSQL by COPY, as they are read; resolves with its count of rows. */
export async function load(
  { server, database, into, format = "pg-copy-text" }: Loading,
  snapshot: Snapshot,
  table: TableSchema,
  partitions: readonly Partition[] = [whole],
): Promise<number> {
  const wire = await openBulkSession(endpointOf(server, database), "target", unaborted);
  let loaded = 0;
  let told = 0;
  try {
    for (const partition of partitions) {
      await wire.copyIn(
        `copy ${into} from stdin (format ${format === "pg-copy-binary" ? "binary" : "text"})`,
      );
      for await (const chunk of read(snapshot, table, partition, format)) {
        await wire.send(chunk.bytes);
        told += chunk.rows;
      }
      loaded += Number((await wire.copyInEnd()).split(" ").at(-1));
    }
  } finally {
    await wire[Symbol.asyncDispose]();
  }
  assert.equal(told, loaded, "rows counted in chunks and rows that PostgreSQL took");
  return loaded;
}

/** Of a table's first column, a number. */
export function digestsOf(snapshot: Snapshot, table: TableSchema): Promise<readonly BucketDigest[]> {
  const columns = [{ ordinal: 0, form: { kind: "int" } }] as const;
  return snapshot.digests({ table, partition: whole, columns, hash: "md5", buckets: 1 }, unaborted);
}
