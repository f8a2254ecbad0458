import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

test("a stream that cannot start names who is in the way, gives up at its limit, and leaves nothing behind", async () => {
  await using source = await startPostgres();
  await using target = await startPostgres();
  await source.query(
    "create schema app; create table app.t (id int primary key); insert into app.t values (1)",
  );
  const writer = await source.connect("postgres");
  await writer.query("set application_name = 'nightly job'; begin; insert into app.t values (2)");
  const spec = taskSpec({
    type: "full-load-and-cdc",
    source: endpointOf(source, "postgres"),
    target: endpointOf(target, "postgres"),
    tableMappings: schemas("app"),
    settings: JSON.stringify({ TidewaySettings: { StreamStartLimitSeconds: 1 } }),
  });
  const { outcome } = await runToEnd(spec);
  assert.equal(outcome.error?.code, "source.long_transaction");
  assert.match(outcome.error.subject ?? "", /^session \d+ of postgres \(nightly job\)$/);
  const left = `select slot_name as name from pg_replication_slots union all select pubname from pg_publication
    union all select evtname from pg_event_trigger union all select nspname from pg_namespace where nspname ~ 'tideway'`;
  assert.deepEqual(await source.query(left), []);
  await writer.query("commit");
  await writer.end();
  const task = new ObservedTask(spec);
  await task.until(({ phase }) => phase === "replicating");
  task.running.drain();
  assert.equal((await task.running.outcome).state, "stopped");
  await assertEqualDatabases({ source, from: "postgres", target, to: "postgres", schemas: ["app"] });
});

test("a reload that somebody keeps waiting is given up at the limit, by name, and the others' changes go on", async () => {
  const servers = await mysqlToPostgres({ flavour: "mysql" });
  const pair = await MysqlPair.make(servers, {
    name: "app",
    schema: `create table again (id int primary key, v int); insert into again values (1, 1), (2, 2);
      create table other (id int primary key); insert into other values (1)`,
    settings: JSON.stringify({ TidewaySettings: { StreamStartLimitSeconds: 4 } }),
  });
  const again = { schema: pair.from, name: "again" };
  const session = await servers.source.connect(pair.from);
  try {
    const task = await pair.replicate();
    // The lock that the snapshot is taken under is not asked for while a statement runs for long.
    const working = session.query("select sleep(600) from other");
    await eventually("a statement that runs for long", async () => {
      const sql = `select time as seconds from information_schema.processlist where id = ${session.threadId}`;
      return Number((await pair.query(sql))[0]!["seconds"]) >= 4;
    });
    task.running.reloadTables([again]);
    await pair.query("insert into again values (3, 3); insert into other values (2)");
    await task.until(({ tables }) => tables.some(({ error }) => error !== undefined));
    const [error] = task.last!.tables.flatMap(({ id, error }) => (id.name === "again" && error) || []);
    assert.equal(error!.code, "source.reload_kept_waiting");
    assert.match(error!.message, new RegExp(`session ${session.threadId} of tideway@.* in ${pair.from} \\(`));
    await eventually("changes of the other", async () => {
      const rows = await pair.queryTarget("select id from other");
      return rows.length === 2;
    });
    await pair.query(`kill query ${session.threadId}`);
    await working.catch(() => undefined);
    task.running.reloadTables([again]);
    await pair.query("update again set v = 4 where id = 1");
    await pair.drain(task);
    await pair.assertEqual();
  } finally {
    session.destroy();
    await pair.end();
  }
});
