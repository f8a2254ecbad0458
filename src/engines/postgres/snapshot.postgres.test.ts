import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  copyTable,
  describeTable,
  describeTables,
  partitionsOf,
  samePlan,
  unaborted,
} from "../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../test/support/postgres-server.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { TableSchema } from "../../core/schema.ts";
import type { Partition, Snapshot, SnapshotRequest } from "../../core/source.ts";
import { openBulkSession } from "./bulk-session.ts";
import { lsnCodec } from "./lsn.ts";
import { rangeCondition } from "./range-condition.ts";
import { openSnapshot } from "./snapshot.ts";

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server?.[Symbol.asyncDispose]());

const id = { schema: "public", name: "t" };
const SMALL = { rowsPerPartition: 300, bytesPerPartition: 100_000 };
const journal = { taskId: "copy", controlSchema: undefined };

/** 5,000 rows with keys that lie as the rows do; k and v are spread over many partitions. */
const FILLED = `create table t (id int primary key, v int, pad text default repeat('x', 60));
  insert into t select i, i from generate_series(1, 5000) i; analyze t`;

interface Fixture {
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly table: TableSchema;
}

async function newSource(ddl: string): Promise<Fixture> {
  const database = await server.createDatabase("source");
  await server.query(ddl, database);
  const endpoint = endpointOf(server, database);
  return { database, endpoint, table: await describeTable(endpoint, id) };
}

function open(source: Fixture, request: Partial<SnapshotRequest> = {}): Promise<Snapshot> {
  const { endpoint, table } = source;
  return openSnapshot(endpoint, { taskId: "task", tables: [table], anchor: "none", ...request }, unaborted);
}

async function rowsOf(snapshot: Snapshot, table: TableSchema, partition: Partition): Promise<number> {
  let rows = 0;
  const request = { table, partition, format: "pg-copy-text" } as const;
  for await (const chunk of snapshot.read(request, unaborted)) rows += chunk.rows;
  return rows;
}

async function sessions(database: string, purpose: string): Promise<number> {
  const [row] = await server.query(
    `select count(*)::int as n from pg_stat_activity where application_name = '${purpose}' and datname = '${database}'`,
  );
  return row.n;
}

async function terminate(database: string, purpose: string): Promise<void> {
  await server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${purpose}' and datname = '${database}'`,
  );
}

/** Polls until a condition holds. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end) {
    if (await condition()) return;
    await nextTurn();
  }
  assert.fail("the condition never came true");
}

test("a row that a writer moves between partitions while they are read is read once", async () => {
  const source = await newSource(FILLED);
  const target = await server.createDatabase("target");
  await server.query("create table t (id int, v int, pad text)", target);
  await using snapshot = await open(source);
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
  await until(async () => moved > 50);
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
  const source = await newSource(FILLED);
  await using snapshot = await open(source);
  await server.query("delete from t where id > 10", source.database);
  const [whole] = await partitionsOf(snapshot, source.table, {
    rowsPerPartition: Infinity,
    bytesPerPartition: Infinity,
  });
  const counts = await Promise.all([1, 2, 3].map(() => rowsOf(snapshot, source.table, whole!)));
  assert.deepEqual(counts, [5000, 5000, 5000]);
});

test("ranges are read by index or by block, not by scanning the table for each", async () => {
  const source = await newSource(
    `create table t (a int, b uuid, pad text, primary key (a, b));
     insert into t select i / 10, md5(i::text)::uuid, repeat('x', 50) from generate_series(1, 5000) i; analyze t`,
  );
  const explain = async (partition: Partition): Promise<string> => {
    const wire = await openBulkSession(source.endpoint, "source", unaborted);
    const condition = await rangeCondition(wire, id, partition);
    const { rows } = await wire.query(
      `set enable_seqscan = off; explain select a from only public.t where ${condition}`,
    );
    await wire[Symbol.asyncDispose]();
    return rows.flat().join("\n");
  };
  await using analyzed = await open(source);
  const byKey = await partitionsOf(analyzed, source.table, SMALL);
  assert.equal(byKey[3]!.by, "key");
  assert.match(await explain(byKey[3]!), /Index (Only )?Scan.*Cond: .*ROW\(a, b\) >= .*ROW\(a, b\) </s);
  await server.query("delete from pg_statistic where starelid = 't'::regclass", source.database);
  await using unanalyzed = await open(source);
  const byBlock = await partitionsOf(unanalyzed, source.table, SMALL);
  assert.equal(byBlock[3]!.by, "block");
  assert.match(await explain(byBlock[3]!), /Tid Range Scan/);
});

test("partitions have about the size that was asked for", async () => {
  const source = await newSource(
    `create table t (id int primary key, pad text); alter table t set (autovacuum_enabled = off);
     insert into t select i * i % 1000003, repeat('x', 90) from generate_series(1, 40000) i on conflict do nothing;
     create table sorted as select * from t order by id; alter table sorted add primary key (id); analyze sorted`,
  );
  const sorted = await describeTable(source.endpoint, { schema: "public", name: "sorted" });
  await using snapshot = await open(source, { tables: [source.table, sorted] });
  for (const table of [source.table, sorted]) {
    const size = { rowsPerPartition: 4000, bytesPerPartition: Infinity };
    const partitions = await partitionsOf(snapshot, table, size);
    assert.equal(partitions[0]!.by, table === sorted ? "key" : "block");
    const counts: number[] = [];
    for (const partition of partitions) counts.push(await rowsOf(snapshot, table, partition));
    const all = counts.reduce((a, b) => a + b);
    const [{ n }] = await server.query("select count(*)::int as n from t", source.database);
    assert.equal(all, n);
    const mean = all / counts.length;
    assert(
      counts.every((count) => count > mean * 0.5 && count < mean * 2),
      counts.join(),
    );
  }
});

test("a table that was never analyzed is cut by its size on disk", async () => {
  const source = await newSource("create table t (id int, pad text) with (autovacuum_enabled = off)");
  await server.query(
    "insert into t select i, repeat('x', 500) from generate_series(1, 4000) i",
    source.database,
  );
  await using snapshot = await open(source);
  const size = { rowsPerPartition: Infinity, bytesPerPartition: 200_000 };
  const partitions = await partitionsOf(snapshot, source.table, size);
  assert(partitions.length >= 10, String(partitions.length));
});

test("few rows with large values are cut by key even when they share a block", async () => {
  const source = await newSource(
    `create table t (id int primary key, v bytea); alter table t alter v set storage external;
     insert into t select i, decode(repeat(md5(i::text), 6250), 'hex') from generate_series(1, 60) i; analyze t`,
  );
  await using snapshot = await open(source);
  const size = { rowsPerPartition: Infinity, bytesPerPartition: 1_000_000 };
  const partitions = await partitionsOf(snapshot, source.table, size);
  assert(partitions.length >= 5, String(partitions.length));
});

test("a key that may hold NULLs, is partial or an expression is not used for ranges", async () => {
  const source = await newSource(
    `create table t (a int unique, b int not null, c text not null);
     create unique index on t (b) where b > 0; create unique index on t (lower(c));
     create unique index on t (c text_pattern_ops);
     insert into t select nullif(i, 7), i, 'c' || i from generate_series(1, 5000) i; analyze t`,
  );
  await using snapshot = await open(source);
  const partitions = await partitionsOf(snapshot, source.table, SMALL);
  assert(partitions.length > 3 && partitions.every((partition) => partition.by === "block"));
});

test("a NOT NULL that was never checked does not make a key", async () => {
  const source = await newSource(
    `create table t (a int unique, pad text); insert into t select nullif(i, 7), repeat('x', 50) from generate_series(1, 5000) i;
     alter table t add constraint checked not null a not valid; analyze t`,
  );
  await using snapshot = await open(source);
  const partitions = await partitionsOf(snapshot, source.table, SMALL);
  let rows = 0;
  for (const partition of partitions) rows += await rowsOf(snapshot, source.table, partition);
  assert.equal(rows, 5000);
});

test("stopping early or aborting leaves no half-read session in use", async () => {
  const source = await newSource(FILLED.replace("5000", "200000"));
  await using snapshot = await open(source);
  const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };
  const request = { table: source.table, partition: whole, format: "pg-copy-text" } as const;
  for await (const chunk of snapshot.read(request, unaborted)) {
    assert(chunk.rows < 200_000);
    break;
  }
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of snapshot.read(request, controller.signal)) controller.abort(new Error("enough"));
  }, /enough/);
  await until(async () => (await sessions(source.database, "tideway read")) === 1);
  assert.equal(await rowsOf(snapshot, source.table, whole), 200_000);
});

test("reads reuse their sessions, and a disposed snapshot leaves none", async () => {
  const source = await newSource(FILLED);
  {
    await using snapshot = await open(source);
    for (const partition of await partitionsOf(snapshot, source.table, SMALL)) {
      await rowsOf(snapshot, source.table, partition);
    }
    // The holder and one reader.
    assert.equal(await sessions(source.database, "tideway read"), 2);
  }
  await until(async () => (await sessions(source.database, "tideway read")) === 0);
});

test("a snapshot whose holder is gone says so instead of reading another moment", async () => {
  const source = await newSource(FILLED);
  await using snapshot = await open(source);
  const [first] = await partitionsOf(snapshot, source.table, SMALL);
  await terminate(source.database, "tideway read");
  await until(async () => (await sessions(source.database, "tideway read")) === 0);
  await assert.rejects(rowsOf(snapshot, source.table, first!), { code: "source.snapshot_lost" });
});

test("a table that was truncated or rewritten since the snapshot is not taken for empty", async () => {
  const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };
  const statements = [
    ["truncate t", "source.table_rewritten"],
    ["alter table t alter v type int using v + 1", "source.table_rewritten"],
    ["alter table t alter v type bigint", "source.table_changed"],
    ["alter table t drop column v; alter table t add column v int", "source.table_changed"],
    ["drop table t; create table t (id int primary key, v int, pad text)", "source.table_rewritten"],
    ["alter table t add column later int; alter table t add unique (v)", undefined],
  ] as const;
  for (const [statement, code] of statements) {
    const source = await newSource(FILLED);
    await using snapshot = await open(source);
    await server.query(statement, source.database);
    const reading = rowsOf(snapshot, source.table, whole);
    if (code === undefined) assert.equal(await reading, 5000);
    else await assert.rejects(reading, { code, table: id }, statement);
  }
});

test("a table that is gone is that table's error", async () => {
  const source = await newSource(FILLED);
  await using snapshot = await open(source);
  await server.query("drop table t", source.database);
  await assert.rejects(partitionsOf(snapshot, source.table, SMALL), {
    code: "source.table_changed",
    table: id,
  });
  const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };
  await assert.rejects(rowsOf(snapshot, source.table, whole), { code: "source.table_unreadable", table: id });
});

test("rows that a policy would hide are an error", async () => {
  const source = await newSource(
    `${FILLED}; alter table t enable row level security; create policy p on t using (id < 10);
     create role reader_${process.pid} login password 'reader'; grant select on t to reader_${process.pid}`,
  );
  const endpoint = { ...source.endpoint, username: `reader_${process.pid}`, password: "reader" };
  await using snapshot = await open({ ...source, endpoint });
  const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };
  await assert.rejects(rowsOf(snapshot, source.table, whole), { code: "source.row_security", table: id });
});

test("a new stream's snapshot and position belong together, and its slot stays", async () => {
  const source = await newSource(FILLED);
  const slot =
    "select slot_name, temporary, confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name like 'tideway_anchor%'";
  {
    await using snapshot = await open(source, { taskId: "anchor", anchor: "new-stream" });
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
    await using later = await open(source, { taskId: "anchor", anchor: "existing-stream" });
    await using beside = await open(source, { taskId: "anchor", anchor: "existing-stream" });
    const [found] = await server.query(slot);
    assert.equal(lsnCodec.compare(later.position!, lsnCodec.parse(found.lsn)), 1);
    assert.equal((await server.query(slot)).length, 3);
    const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 };
    assert.equal(await rowsOf(later, source.table, whole), 5001);
    assert.equal(await rowsOf(beside, source.table, whole), 5001);
  }
  await until(async () => (await server.query(slot)).length === 1);
  await assert.rejects(open(source, { taskId: "anchor", anchor: "new-stream" }), {
    code: "source.slot_exists",
  });
  assert.equal((await server.query(slot)).length, 1);
  await server.query("select pg_drop_replication_slot('tideway_anchor')", source.database);
});

test("formats of hundreds of tables are known from one look at the catalog", async () => {
  const source = await newSource(
    `create table t (id int); do $$ begin for i in 1..500 loop
       execute format('create table t%s (a int, b text, c %s)', i, case when i % 2 = 0 then 'numeric' else 'regclass' end);
     end loop; end $$`,
  );
  const ids = Array.from({ length: 500 }, (_, i) => ({ schema: "public", name: `t${i + 1}` }));
  const tables = await describeTables(source.endpoint, ids);
  await using snapshot = await open(source, { tables });
  for (const table of tables) {
    const best = Number(table.id.name.slice(1)) % 2 === 0 ? "pg-copy-binary" : "pg-copy-text";
    assert.equal(snapshot.bulkFormats(table)[0], best, table.id.name);
  }
});

test("many tables are cut at once, and one that is gone is its own outcome", async () => {
  const source = await newSource(
    `${FILLED}; create table gone (id int primary key); create table empty (id int);
     create table few (id int primary key); insert into few select generate_series(1, 10); analyze few`,
  );
  const names = ["gone", "empty", "few", "t"];
  const tables = await describeTables(
    source.endpoint,
    names.map((name) => ({ schema: "public", name })),
  );
  await using snapshot = await open(source, { tables });
  await server.query("drop table gone", source.database);
  const size = { rowsPerPartition: 1000, bytesPerPartition: Infinity };
  const outcomes = await snapshot.partition(tables, size, unaborted);
  const told = outcomes.map((outcome) => {
    return outcome instanceof MigrationError
      ? outcome.code
      : outcome.map(({ estimatedRows }) => estimatedRows);
  });
  assert.deepEqual(told.slice(0, 3), ["source.table_changed", [0], [10]]);
  assert.ok(told[3]!.length > 3, String(told[3]));
});
