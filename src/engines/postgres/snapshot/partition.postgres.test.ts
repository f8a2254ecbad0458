import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeTable,
  describeTables,
  partitionsOf,
  unaborted,
} from "../../../../test/support/bulk-copy.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import {
  FILLED,
  openSnapshotOf,
  rowsOf,
  SMALL,
  snapshotSource,
} from "../../../../test/support/snapshot-source.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Partition } from "../../../core/source.ts";
import { openBulkSession } from "../connection/bulk-session.ts";
import { rangeCondition } from "./range-condition.ts";

const server = await serverOfFile(startPostgres());

test("ranges are read by index or by block, not by scanning the table for each", async () => {
  const source = await snapshotSource(
    server,
    `create table t (a int, b uuid, pad text, primary key (a, b));
     insert into t select i / 10, md5(i::text)::uuid, repeat('x', 50) from generate_series(1, 5000) i; analyze t`,
  );
  const explain = async (partition: Partition): Promise<string> => {
    const wire = await openBulkSession(source.endpoint, "source", unaborted);
    const condition = await rangeCondition(wire, source.table, partition);
    const { rows } = await wire.query(
      `set enable_seqscan = off; explain select a from only public.t where ${condition}`,
    );
    await wire[Symbol.asyncDispose]();
    return rows.flat().join("\n");
  };
  await using analyzed = await openSnapshotOf(source);
  const byKey = await partitionsOf(analyzed, source.table, SMALL);
  assert.equal(byKey[3]!.by, "key");
  const ofSnapshot = await partitionsOf(analyzed, source.table, { ...SMALL, isOfSnapshot: true });
  assert.equal(ofSnapshot[3]!.by, "block");
  assert.match(await explain(byKey[3]!), /Index (Only )?Scan.*Cond: .*ROW\(a, b\) >= .*ROW\(a, b\) </s);
  await server.query("delete from pg_statistic where starelid = 't'::regclass", source.database);
  await using unanalyzed = await openSnapshotOf(source);
  const byBlock = await partitionsOf(unanalyzed, source.table, SMALL);
  assert.equal(byBlock[3]!.by, "block");
  assert.match(await explain(byBlock[3]!), /Tid Range Scan/);
});

test("partitions have about the size that was asked for", async () => {
  const source = await snapshotSource(
    server,
    `create table t (id int primary key, pad text); alter table t set (autovacuum_enabled = off);
     insert into t select i * i % 1000003, repeat('x', 90) from generate_series(1, 40000) i on conflict do nothing;
     create table sorted as select * from t order by id; alter table sorted add primary key (id); analyze sorted`,
  );
  const sorted = await describeTable(source.endpoint, { schema: "public", name: "sorted" });
  await using snapshot = await openSnapshotOf(source, { tables: [source.table, sorted] });
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
  const source = await snapshotSource(
    server,
    "create table t (id int, pad text) with (autovacuum_enabled = off)",
  );
  await server.query(
    "insert into t select i, repeat('x', 500) from generate_series(1, 4000) i",
    source.database,
  );
  await using snapshot = await openSnapshotOf(source);
  const size = { rowsPerPartition: Infinity, bytesPerPartition: 200_000 };
  const partitions = await partitionsOf(snapshot, source.table, size);
  assert(partitions.length >= 10, String(partitions.length));
});

test("few rows with large values are cut by key even when they share a block", async () => {
  const source = await snapshotSource(
    server,
    `create table t (id int primary key, v bytea); alter table t alter v set storage external;
     insert into t select i, decode(repeat(md5(i::text), 6250), 'hex') from generate_series(1, 60) i; analyze t`,
  );
  await using snapshot = await openSnapshotOf(source);
  const size = { rowsPerPartition: Infinity, bytesPerPartition: 1_000_000 };
  const partitions = await partitionsOf(snapshot, source.table, size);
  assert(partitions.length >= 5, String(partitions.length));
});

test("a key that may hold NULLs, is partial or an expression is not used for ranges", async () => {
  const source = await snapshotSource(
    server,
    `create table t (a int unique, b int not null, c text not null);
     create unique index on t (b) where b > 0; create unique index on t (lower(c));
     create unique index on t (c text_pattern_ops);
     insert into t select nullif(i, 7), i, 'c' || i from generate_series(1, 5000) i; analyze t`,
  );
  await using snapshot = await openSnapshotOf(source);
  const partitions = await partitionsOf(snapshot, source.table, SMALL);
  assert(partitions.length > 3 && partitions.every((partition) => partition.by === "block"));
});

test("a NOT NULL that was never checked does not make a key", async () => {
  const source = await snapshotSource(
    server,
    `create table t (a int unique, pad text); insert into t select nullif(i, 7), repeat('x', 50) from generate_series(1, 5000) i;
     alter table t add constraint checked not null a not valid; analyze t`,
  );
  await using snapshot = await openSnapshotOf(source);
  const partitions = await partitionsOf(snapshot, source.table, SMALL);
  let rows = 0;
  for (const partition of partitions) rows += await rowsOf(snapshot, source.table, partition);
  assert.equal(rows, 5000);
});

test("many tables are cut at once, and one that is gone is its own outcome", async () => {
  const source = await snapshotSource(
    server,
    `${FILLED}; create table gone (id int primary key); create table empty (id int);
     create table few (id int primary key); insert into few select generate_series(1, 10); analyze few`,
  );
  const names = ["gone", "empty", "few", "t"];
  const tables = await describeTables(
    source.endpoint,
    names.map((name) => ({ schema: "public", name })),
  );
  await using snapshot = await openSnapshotOf(source, { tables });
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
