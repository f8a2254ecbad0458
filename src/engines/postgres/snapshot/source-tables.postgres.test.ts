import assert from "node:assert/strict";
import { test } from "node:test";
import { describeTable, unaborted } from "../../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { Snapshot, SnapshotRequest } from "../../../core/source.ts";
import { describe } from "../catalog/catalog.ts";
import { connect } from "../connection/connection.ts";
import { openSnapshot } from "./snapshot.ts";

const server = await serverOfFile(startPostgres());

interface Fixture {
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly table: TableSchema;
}

async function newSource(): Promise<Fixture> {
  const database = await server.createDatabase("source");
  await server.query("create table t (id int primary key, v int); insert into t values (1), (2)", database);
  const endpoint = endpointOf(server, database);
  return { database, endpoint, table: await describeTable(endpoint, { schema: "public", name: "t" }) };
}

function open({ endpoint, table }: Fixture, request: Partial<SnapshotRequest> = {}): Promise<Snapshot> {
  return openSnapshot(endpoint, { taskId: "task", tables: [table], anchor: "none", ...request }, unaborted);
}

test("a snapshot wants a table's columns as they were described, not its rows where they were", async () => {
  const source = await newSource();
  const { id } = source.table;
  await server.query("truncate t; insert into t values (3)", source.database);
  {
    await using snapshot = await open(source);
    const partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: 1 } as const;
    const request = { table: source.table, partition, format: "pg-copy-text" } as const;
    let rows = 0;
    for await (const chunk of snapshot.read(request, unaborted)) rows += chunk.rows;
    assert.equal(rows, 1);
  }
  for (const change of ["alter v set default 1", "add w int"]) {
    await server.query(`alter table t ${change}`, source.database);
    await assert.rejects(open(source), { code: "source.table_changed", table: id });
  }
});

test("a table that was dropped before it could be published is that table's error", async () => {
  const source = await newSource();
  await (await open(source, { anchor: "new-stream" }))[Symbol.asyncDispose]();
  await server.query("create table passing (id int primary key)", source.database);
  const passing = await describeTable(source.endpoint, { schema: "public", name: "passing" });
  await server.query("drop table passing", source.database);
  const gone = { code: "source.table_changed", table: passing.id };
  const tables = [source.table, passing];
  await assert.rejects(open(source, { anchor: "existing-stream", tables }), gone);
  await assert.rejects(open(source, { anchor: "new-stream", tables, taskId: "other" }), gone);
});

test("a view is not read when a table that it is made of was emptied since", async () => {
  const source = await newSource();
  await server.query(
    `create table whole (id int) partition by range (id);
     create table part partition of whole for values from (0) to (100);
     create table beside (id int); insert into whole values (1); insert into beside values (1);
     create materialized view kept as select id from beside;
     create view inner_view as select w.id from whole w join kept k using (id);
     create view shown as select id from inner_view`,
    source.database,
  );
  const client = await connect(source.endpoint, { side: "source", purpose: "test" }, unaborted);
  const options = { wholeSchemas: undefined, objects: false, rights: false, largeObjects: false };
  const views = [{ schema: "public", name: "shown" }];
  const { tables } = await describe(client, [], { ...options, views });
  await client.end();
  const [table] = tables;
  const partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: 1 } as const;
  const read = async (snapshot: Snapshot): Promise<number> => {
    let rows = 0;
    const request = { table: table!, partition, format: "pg-copy-text" } as const;
    for await (const chunk of snapshot.read(request, unaborted)) rows += chunk.rows;
    return rows;
  };
  await using snapshot = await open(source, { tables });
  await server.query("truncate beside", source.database);
  assert.equal(await read(snapshot), 1);
  await server.query("truncate part", source.database);
  await assert.rejects(read(snapshot), { code: "source.table_rewritten", table: views[0] });
});
