import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { serverPair } from "../support/server-pair.ts";
import { schemas, TaskProcess, taskSpec } from "../support/task.ts";

const { source, target } = await serverPair();

/** Large enough for several partitions; a table without a key; rows that move between partitions. */
const schema = `
  create schema app;
  create table app.big (id bigint primary key, a int not null, note text);
  insert into app.big select i, i % 100, repeat('x', 60) from generate_series(1, 1400000) i;
  create index big_a on app.big (a);
  create table app.child (id bigint generated always as identity primary key,
    big_id bigint not null references app.big, label text unique);
  insert into app.child (big_id, label) select i, 'c' || i from generate_series(1, 20000) i;
  create table app.log (at timestamptz not null default now(), what text);
  alter table app.log replica identity full;
  insert into app.log select now(), 'entry ' || i from generate_series(1, 20000) i;
  analyze;`;

/** Commits until told to stop: inserts, updates, key changes, deletes, appends. */
async function writeUntil(database: string, stopped: () => boolean): Promise<number> {
  const client = await source.connect(database);
  let commits = 0;
  try {
    for (let i = 0; !stopped(); i++) {
      const id = 1 + ((i * 7919) % 1_400_000);
      await client.query("begin");
      await client.query("update app.big set a = a + 1 where id = $1", [id]);
      await client.query("update app.big set id = id + 10000000 where id = $1 and id > 20000", [id + 1]);
      await client.query("delete from app.big where id = $1 and id > 20000", [id + 2]);
      await client.query("insert into app.child (big_id, label) values ($1, $2)", [1 + (i % 20000), `n${i}`]);
      await client.query("insert into app.log (what) values ($1)", [`event ${i}`]);
      await client.query("commit");
      commits++;
    }
  } finally {
    await client.end();
  }
  return commits;
}

const failpoints: readonly Failpoint[] = [
  "task.prepared",
  "task.snapshot-open",
  "load.partition-read",
  "load.partition-written",
  "load.partition-done",
  "load.table-loaded",
  "build.step-done",
  "task.load-finished",
  "apply.batch-taken",
  "apply.committed",
  "apply.durable",
  "task.drained",
];

for (const failpoint of failpoints) {
  test(`killed at ${failpoint} while the source is written to, a resumed task ends with equal databases`, async () => {
    const name = failpoint.replaceAll(/[^a-z]/g, "_");
    const from = await source.createDatabase(name);
    const to = await target.createDatabase(name);
    await source.query(schema, from);
    const spec = taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
      untilCaughtUp: true,
    });
    let stop = false;
    const writing = writeUntil(from, () => stop);
    const killed = await new TaskProcess(
      spec,
      failpoint === "load.partition-read" ? `${failpoint}:40` : failpoint,
    ).ended();
    stop = true;
    const commits = await writing;
    assert.equal(killed.signal, "SIGKILL");
    assert.ok(commits > 0);
    const doneBefore = await donePartitions(to);

    const resumed = await new TaskProcess({ ...spec, start: "resume-processing" }).ended();
    assert.equal(resumed.outcome?.state, "stopped", JSON.stringify(resumed.outcome?.error));
    assert.deepEqual(resumed.outcome?.suspendedTables, []);
    await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
    // What was done before the crash still shows the snapshot it was read from.
    const doneAfter = new Map((await donePartitions(to)).map((row) => [row.partition, row.snapshot]));
    for (const { partition, snapshot } of doneBefore)
      assert.equal(doneAfter.get(partition), snapshot, partition);
    await source.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = '${from}'`,
    );
    await source.query(`drop database ${from}`);
    await target.query(`drop database ${to}`);
  });
}

async function donePartitions(database: string): Promise<{ partition: string; snapshot: string }[]> {
  const exists = await target.query(
    "select to_regclass('public.awsdms_load_state') is not null as there",
    database,
  );
  if (exists[0].there !== true) return [];
  return target.query(
    `select table_name || '/' || partition_id as partition, snapshot_position as snapshot
       from awsdms_load_state where done and table_name = 'big'`,
    database,
  );
}
