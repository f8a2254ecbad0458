import assert from "node:assert/strict";
import { test } from "node:test";
import { tidewayHere } from "../../test/support/command-line.ts";
import { endpointOf } from "../../test/support/endpoint.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { ObservedTask, schemas, taskSpec } from "../../test/support/task.ts";

test("what a stopped task has left is listed, and removed when it is named", async () => {
  await using source = await startPostgres();
  await using target = await startPostgres();
  await source.query(
    "create schema app; create table app.t (id int primary key); insert into app.t values (1)",
  );
  // AWS DMS's own table of that name stays.
  await target.query("create schema dms; create table dms.awsdms_status (task_name text)");
  const ends = { source: endpointOf(source, "postgres"), target: endpointOf(target, "postgres") };
  const spec = taskSpec({ type: "full-load-and-cdc", ...ends, tableMappings: schemas("app") });
  const task = new ObservedTask(spec);
  await task.until((progress) => progress.phase === "replicating");
  const urls = [source.url(), target.url()];

  const running = await tidewayHere("cleanup", "--all", "--json", ...urls);
  assert.equal(running.code, 1);
  const kept = running.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(kept.map(({ event, kind }) => `${event} ${kind}`).slice(0, 4), [
    "in-use replication slot",
    "in-use publication",
    "in-use event triggers",
    "in-use task records",
  ]);
  task.running.stop();
  await task.running.outcome;

  const vague = await tidewayHere("cleanup", ...urls);
  assert.equal(vague.code, 2);
  assert.match(vague.stderr, /--dry-run/);
  const dry = await tidewayHere("cleanup", "--dry-run", ...urls);
  assert.equal(dry.code, 0);
  assert.match(
    dry.stdout,
    new RegExp(`replication slot +tideway_${spec.id} +${spec.id} +idle +keeps .* of the log`),
  );
  assert.match(dry.stdout, /task records +public +\S+ +idle +1 tables/);
  assert.doesNotMatch(dry.stdout, /awsdms_status/);

  const other = await tidewayHere("cleanup", "--task", "another", ...urls);
  assert.match(other.stdout, /nothing to remove/);
  const removed = await tidewayHere("cleanup", "--task", spec.id, ...urls);
  assert.equal(removed.code, 0, removed.stderr);
  assert.deepEqual(
    await source.query(
      `select slot_name from pg_replication_slots union all select pubname from pg_publication
       union all select evtname from pg_event_trigger union all select proname from pg_proc where proname ~ 'tideway'`,
    ),
    [],
  );
  assert.deepEqual(await target.query("select task_name from awsdms_table_state"), []);
  assert.equal((await tidewayHere("cleanup", "--all", ...urls)).code, 0);
  const tables = await target.query(
    "select relname from pg_class where relname like 'awsdms%' and relkind = 'r'",
  );
  assert.deepEqual(tables, [{ relname: "awsdms_status" }]);
  assert.deepEqual(await target.query("select id from app.t"), [{ id: 1 }]);
});
