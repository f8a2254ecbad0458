import assert from "node:assert/strict";
import { test } from "node:test";
import {
  copyTable,
  describeTable,
  describeTables,
  partitionsOf,
  samePlan,
  unaborted,
} from "../../../../test/support/bulk-copy.ts";
import { clientDigests, readCells, serverDigests } from "../../../../test/support/digested-rows.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import {
  FILLED,
  id,
  openSnapshotOf,
  rowsOf,
  SMALL,
  sessionsOf,
  snapshotSource,
  whole,
} from "../../../../test/support/snapshot-source.ts";
import type { BucketDigest } from "../../../core/row-digest.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { Snapshot } from "../../../core/source.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openBulkSession } from "../connection/bulk-session.ts";

const server = await serverOfFile(startPostgres());

const journal = { taskId: "copy", controlSchema: undefined };

function digestsOf(snapshot: Snapshot, table: TableSchema): Promise<readonly BucketDigest[]> {
  const columns = [{ ordinal: 0, form: { kind: "int" } }] as const;
  return snapshot.digests({ table, partition: whole, columns, hash: "md5", buckets: 1 }, unaborted);
}

async function terminate(database: string, purpose: string): Promise<void> {
  await server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${purpose}' and datname = '${database}'`,
  );
}

test("a row that a writer moves between partitions while they are read is read once", async () => {
  const source = await snapshotSource(server, FILLED);
  const target = await server.createDatabase("target");
  await server.query("create table t (id int, v int, pad text)", target);
  await using snapshot = await openSnapshotOf(source);
  const writer = await server.connect(source.database);
  let moving = true;
  let moved = 0;
  const work = (async () => {
    for (let i = 1; moving; i = (i * 7919) % 5003, moved++) {
      await writer.query(`update t set id = 10001 - id, pad = pad || 'y' where v = ${i}`);
      await writer.query(`delete from t where v = ${(i * 31) % 5003}`);
      await writer.query(`insert into t select max(id) + 1, 0 from t`);
    }
  })();
  await eventually("moves", async () => moved > 50);
  const copied = await copyTable(
    {
      source: source.endpoint,
      target: endpointOf(server, target),
      plan: samePlan(source.table),
      journal,
      size: SMALL,
    },
    snapshot,
  );
  moving = false;
  await work;
  await writer.end();
  assert(copied.partitions.length > 5);
  const [found] = await server.query(
    "select count(*)::int as rows, count(distinct id)::int as ids, count(distinct v)::int as vs, bool_and(id = v) as same from t",
    target,
  );
  assert.deepEqual(found, { rows: 5000, ids: 5000, vs: 5000, same: true });
});

test("a snapshot shows the moment it was opened at, also to sessions that start later", async () => {
  const source = await snapshotSource(server, FILLED);
  await using snapshot = await openSnapshotOf(source);
  await server.query("delete from t where id > 10", source.database);
  const [whole] = await partitionsOf(snapshot, source.table, {
    rowsPerPartition: Infinity,
    bytesPerPartition: Infinity,
  });
  const counts = await Promise.all([1, 2, 3].map(() => rowsOf(snapshot, source.table, whole!)));
  assert.deepEqual(counts, [5000, 5000, 5000]);
});

test("stopping early or aborting leaves no half-read session in use", async () => {
  const source = await snapshotSource(server, FILLED.replace("5000", "200000"));
  await using snapshot = await openSnapshotOf(source);
  const request = { table: source.table, partition: whole, format: "pg-copy-text" } as const;
  for await (const chunk of snapshot.read(request, unaborted)) {
    assert(chunk.rows < 200_000);
    break;
  }
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of snapshot.read(request, controller.signal)) controller.abort(new Error("enough"));
  }, /enough/);
  await eventually(
    "no more sessions",
    async () => (await sessionsOf(server, source.database, "tideway read")) === 1,
  );
  assert.equal(await rowsOf(snapshot, source.table, whole), 200_000);
});

test("reads reuse their sessions, and a disposed snapshot leaves none", async () => {
  const source = await snapshotSource(server, FILLED);
  {
    await using snapshot = await openSnapshotOf(source);
    for (const partition of await partitionsOf(snapshot, source.table, SMALL)) {
      await rowsOf(snapshot, source.table, partition);
    }
    // The holder and one reader.
    assert.equal(await sessionsOf(server, source.database, "tideway read"), 2);
  }
  await eventually(
    "no more sessions",
    async () => (await sessionsOf(server, source.database, "tideway read")) === 0,
  );
});

test("a snapshot whose holder is gone says so instead of reading another moment", async () => {
  const source = await snapshotSource(server, FILLED);
  await using snapshot = await openSnapshotOf(source);
  const [first] = await partitionsOf(snapshot, source.table, SMALL);
  await terminate(source.database, "tideway read");
  await eventually(
    "no more sessions",
    async () => (await sessionsOf(server, source.database, "tideway read")) === 0,
  );
  await assert.rejects(rowsOf(snapshot, source.table, first!), { code: "source.snapshot_lost" });
});

test("a table that was truncated or rewritten since the snapshot is not taken for empty", async () => {
  const statements = [
    ["truncate t", "source.table_rewritten"],
    ["alter table t alter v type int using v + 1", "source.table_rewritten"],
    ["alter table t alter v type bigint", "source.table_changed"],
    ["alter table t drop column v; alter table t add column v int", "source.table_changed"],
    ["drop table t; create table t (id int primary key, v int, pad text)", "source.table_rewritten"],
    ["alter table t add column later int; alter table t add unique (v)", undefined],
  ] as const;
  for (const [statement, code] of statements) {
    const source = await snapshotSource(server, FILLED);
    await using snapshot = await openSnapshotOf(source);
    await server.query(statement, source.database);
    const reading = rowsOf(snapshot, source.table, whole);
    const digesting = digestsOf(snapshot, source.table);
    if (code !== undefined) {
      await assert.rejects(reading, { code, table: id }, statement);
      await assert.rejects(digesting, { code, table: id }, statement);
      continue;
    }
    assert.equal(await reading, 5000);
    assert.equal((await digesting)[0]!.rows, 5000);
  }
});

test("rows have one digest whatever the encoding of their database", async () => {
  const rows = `create table t (id int primary key, v text, f character(3), e character varying(400), b text);
    insert into t values (1, 'é', 'é', repeat('ü', 300), 'x'), (2, repeat('é', 600), '', null, null), (3, null, null, '', 'y')`;
  const found = [];
  for (const encoding of ["UTF8", "LATIN1"]) {
    const database = await server.createDatabase("encoded", encoding);
    await server.query(`set client_encoding = 'UTF8'; ${rows}`, database);
    const endpoint = endpointOf(server, database);
    const table = await describeTable(endpoint, id);
    await using snapshot = await openSnapshotOf({ database, endpoint, table });
    const hashes = encoding === "UTF8" ? ["lookup3", "md5"] : ["md5"];
    assert.deepEqual(await snapshot.rowHashes(unaborted), hashes);
    const texts = [1, 2, 3, 4].map((ordinal) => ({ ordinal, form: { kind: "text" } as const }));
    const columns = [...texts, { ordinal: 1, form: { kind: "own" } as const }];
    found.push(await serverDigests(snapshot, table, columns));
    const byClient = clientDigests(table, await readCells(snapshot, table), columns);
    assert.deepEqual(found.at(-1)!.toSorted(), byClient.toSorted());
  }
  assert.deepEqual(found[0]!.toSorted(), found[1]!.toSorted());
});

test("a table that is gone is that table's error", async () => {
  const source = await snapshotSource(server, FILLED);
  await using snapshot = await openSnapshotOf(source);
  await server.query("drop table t", source.database);
  await assert.rejects(partitionsOf(snapshot, source.table, SMALL), {
    code: "source.table_changed",
    table: id,
  });
  await assert.rejects(rowsOf(snapshot, source.table, whole), { code: "source.table_unreadable", table: id });
});

test("rows that a policy would hide are an error", async () => {
  const source = await snapshotSource(
    server,
    `${FILLED}; alter table t enable row level security; create policy p on t using (id < 10);
     create role reader_${process.pid} login password 'reader'; grant select on t to reader_${process.pid}`,
  );
  const endpoint = { ...source.endpoint, username: `reader_${process.pid}`, password: "reader" };
  await using snapshot = await openSnapshotOf({ ...source, endpoint });
  await assert.rejects(rowsOf(snapshot, source.table, whole), { code: "source.row_security", table: id });
});

test("a new stream's snapshot and position belong together, and its slot stays", async () => {
  const source = await snapshotSource(server, FILLED);
  const slot =
    "select slot_name, temporary, confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name like 'tideway_anchor%'";
  {
    await using snapshot = await openSnapshotOf(source, { taskId: "anchor", anchor: "new-stream" });
    await server.query("insert into t values (6000, 6000)", source.database);
    const [found] = await server.query(slot);
    assert.deepEqual(found, { slot_name: "tideway_anchor", temporary: false, lsn: found.lsn });
    assert.equal(lsnCodec.compare(lsnCodec.parse(found.lsn), snapshot.position!), 0);
    let rows = 0;
    for (const partition of await partitionsOf(snapshot, source.table, SMALL)) {
      rows += await rowsOf(snapshot, source.table, partition);
    }
    assert.equal(rows, 5000);
  }
  {
    await using later = await openSnapshotOf(source, { taskId: "anchor", anchor: "existing-stream" });
    await using beside = await openSnapshotOf(source, { taskId: "anchor", anchor: "existing-stream" });
    const [found] = await server.query(slot);
    assert.equal(lsnCodec.compare(later.position!, lsnCodec.parse(found.lsn)), 1);
    assert.equal((await server.query(slot)).length, 3);
    assert.equal(await rowsOf(later, source.table, whole), 5001);
    assert.equal(await rowsOf(beside, source.table, whole), 5001);
  }
  await eventually("no more copies of the slot", async () => (await server.query(slot)).length === 1);
  await assert.rejects(openSnapshotOf(source, { taskId: "anchor", anchor: "new-stream" }), {
    code: "source.slot_exists",
  });
  assert.equal((await server.query(slot)).length, 1);
  await server.query("select pg_drop_replication_slot('tideway_anchor')", source.database);
});

test("formats of hundreds of tables are known from one look at the catalog", async () => {
  const source = await snapshotSource(
    server,
    `create table t (id int); do $$ begin for i in 1..500 loop
       execute format('create table t%s (a int, b text, c %s)', i, case when i % 2 = 0 then 'numeric' else 'regclass' end);
     end loop; end $$`,
  );
  const ids = Array.from({ length: 500 }, (_, i) => ({ schema: "public", name: `t${i + 1}` }));
  const tables = await describeTables(source.endpoint, ids);
  await using snapshot = await openSnapshotOf(source, { tables });
  for (const table of tables) {
    const best = Number(table.id.name.slice(1)) % 2 === 0 ? "pg-copy-binary" : "pg-copy-text";
    assert.equal(snapshot.bulkFormats(table)[0], best, table.id.name);
    assert.equal(snapshot.bulkFormats(table, [0, 1])[0], "pg-copy-binary", table.id.name);
  }
});

test("columns that are asked for come alone, generated ones among them, in binary where all of them can", async () => {
  const source = await snapshotSource(
    server,
    `create table t (id int primary key, r regclass, g int generated always as (id * 10) stored, v text);
     insert into t values (1, 'pg_class', default, 'a'), (2, 'pg_class', default, null);
     create table copied (id int, g int); create table copied_binary (id int, g int)`,
  );
  const { table } = source;
  await using snapshot = await openSnapshotOf(source);
  assert.deepEqual(snapshot.bulkFormats(table), ["pg-copy-text"]);
  assert.deepEqual(snapshot.bulkFormats(table, [0, 2]), ["pg-copy-binary", "pg-copy-text"]);
  const wire = await openBulkSession(source.endpoint, "target", unaborted);
  try {
    for (const [into, format] of [
      ["copied", "pg-copy-text"],
      ["copied_binary", "pg-copy-binary"],
    ] as const) {
      await wire.copyIn(`copy ${into} from stdin (format ${format === "pg-copy-text" ? "text" : "binary"})`);
      const request = { table, partition: whole, format, columns: [0, 2] } as const;
      for await (const { bytes } of snapshot.read(request, unaborted)) await wire.send(bytes);
      await wire.copyInEnd();
      const rows = await server.query(`select id, g from ${into} order by id`, source.database);
      assert.deepEqual(rows, [
        { id: 1, g: 10 },
        { id: 2, g: 20 },
      ]);
    }
  } finally {
    await wire[Symbol.asyncDispose]();
  }
});
