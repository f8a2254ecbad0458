import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { endpointOf } from "../support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { freePort } from "../support/server-process.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

let source: PostgresServer;
let target: PostgresServer;
let from: string;

before(async () => {
  [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  from = await source.createDatabase("failures");
  await source.query(
    `create schema app; create table app.t (id int primary key, v text);
     insert into app.t select i, 'v' || i from generate_series(1, 100) i;
     create role reader login password 'reader'; create role writer login password 'writer'`,
    from,
  );
  await target.query("create role reader login password 'reader'");
});

after(async () => {
  await Promise.all([source?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
});

/** Runs a task that cannot work; nothing may have been created on the target. */
async function failsWith(
  code: string,
  change: (
    source: EndpointConfig,
    target: EndpointConfig,
  ) => { source?: EndpointConfig; target?: EndpointConfig },
  type: "full-load" | "full-load-and-cdc" = "full-load",
): Promise<void> {
  const to = await target.createDatabase("untouched");
  const ends = { source: endpointOf(source, from), target: endpointOf(target, to) };
  const spec = taskSpec({
    type,
    tableMappings: schemas("app"),
    ...ends,
    ...change(ends.source, ends.target),
  });
  const { outcome } = await runToEnd(spec);
  assert.equal(outcome.state, "failed");
  assert.equal(outcome.error?.code, code, JSON.stringify(outcome.error));
  assert.ok(outcome.error.remedy.length > 10);
  assert.doesNotMatch(JSON.stringify(outcome.error), /tideway-test|wrong-password/);
  const left = await target.query(
    "select count(*)::int as n from pg_tables where schemaname in ('app', 'public')",
    to,
  );
  assert.equal(left[0].n, 0, "the target was changed");
}

test("a wrong password fails before anything is changed", () =>
  failsWith("auth.failed", (s) => ({ source: { ...s, password: "wrong-password" } })));

test("a wrong password of the target fails before anything is changed", () =>
  failsWith("auth.failed", (_, t) => ({ target: { ...t, password: "wrong-password" } })));

test("an unknown host fails at once instead of being retried", () =>
  failsWith("connect.unknown_host", (s) => ({ source: { ...s, host: "no-such-host.invalid" } })));

test("a port where nothing listens fails at once", async () => {
  const port = await freePort();
  await failsWith("connect.refused", (s) => ({ source: { ...s, port } }));
});

test("an unknown database fails with its name", () =>
  failsWith("auth.unknown_database", (s) => ({ source: { ...s, database: "nowhere" } })));

test("TLS that the server does not offer is refused, not given up", () =>
  failsWith("tls.refused", (s) => ({ source: { ...s, sslMode: "require" } })));

test("a source without logical WAL is refused for change capture and accepted for full load", async () => {
  await using replica = await startPostgres({ settings: { wal_level: "replica", max_wal_senders: 5 } });
  await replica.query("create schema app; create table app.t (id int primary key)");
  const plain = endpointOf(replica, "postgres");
  await failsWith("source.wal_level", () => ({ source: plain }), "full-load-and-cdc");
  const to = await target.createDatabase("full");
  const spec = taskSpec({
    type: "full-load",
    source: plain,
    target: endpointOf(target, to),
    tableMappings: schemas("app"),
  });
  assert.equal((await runToEnd(spec)).outcome.state, "stopped");
});

test("a source without a free slot is refused", async () => {
  await using full = await startPostgres({ settings: { max_replication_slots: 1 } });
  await full.query("create schema app; create table app.t (id int primary key)");
  await full.query("select pg_create_logical_replication_slot('taken', 'pgoutput')");
  await failsWith(
    "source.no_free_slot",
    () => ({ source: endpointOf(full, "postgres") }),
    "full-load-and-cdc",
  );
});

test("a user without REPLICATION is refused for change capture", () =>
  failsWith(
    "source.privilege",
    (s) => ({ source: { ...s, username: "writer", password: "writer" } }),
    "full-load-and-cdc",
  ));

test("a target that is read-only is refused", async () => {
  await target.query("alter role reader set default_transaction_read_only = on");
  await failsWith("target.read_only", (_, t) => ({
    target: { ...t, username: "reader", password: "reader" },
  }));
});

test("a target user who may not create is refused", async () => {
  await target.query("create role guest login password 'guest'");
  await failsWith("target.privilege", (_, t) => ({ target: { ...t, username: "guest", password: "guest" } }));
});

test("malformed documents name what is wrong in them", async () => {
  const ends = { source: endpointOf(source, from), target: endpointOf(target, "postgres") };
  const cases = [
    [{ tableMappings: "{" }, "mapping.malformed"],
    [{ tableMappings: '{"rules":[]}' }, "mapping.malformed"],
    [{ settings: "not json" }, "settings.malformed"],
    [{ settings: '{"FullLoadSettings":{"TargetTablePrepMode":"MAYBE"}}' }, "settings.malformed"],
    [{ cdcStopPosition: "commit_time:soon" }, "position.malformed"],
  ] as const;
  for (const [change, code] of cases) {
    const { outcome } = await runToEnd(taskSpec({ type: "full-load", ...ends, ...change }));
    assert.equal(outcome.error?.code, code, JSON.stringify(change));
  }
});

test("a table without a key is set aside with its remedy, and the others are replicated", async () => {
  const [sourceDb, to] = [await source.createDatabase("keyless"), await target.createDatabase("keyless")];
  await source.query(
    `create schema app; create table app.good (id int primary key); create table app.bad (v int);
     insert into app.good values (1); insert into app.bad values (1)`,
    sourceDb,
  );
  const spec = taskSpec({
    type: "full-load-and-cdc",
    source: endpointOf(source, sourceDb),
    target: endpointOf(target, to),
    tableMappings: schemas("app"),
  });
  const task = new ObservedTask(spec);
  await task.until((progress) => progress.phase === "replicating");
  // The application on the source must not be disturbed by the publication.
  await source.query("update app.bad set v = 2; insert into app.good values (2)", sourceDb);
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped");
  assert.deepEqual(outcome.suspendedTables, [{ schema: "app", name: "bad" }]);
  const bad = outcome.progress.tables.find((table) => table.id.name === "bad");
  assert.equal(bad?.state, "Table error");
  assert.equal(bad?.error?.code, "source.no_key");
  assert.deepEqual(await target.query("select id from app.good order by 1", to), [{ id: 1 }, { id: 2 }]);
  // A later run still says why.
  const again = await runToEnd({ ...spec, start: "resume-processing", untilCaughtUp: true });
  const still = again.outcome.progress.tables.find((table) => table.id.name === "bad");
  assert.equal(still?.error?.code, "source.no_key");
  assert.ok((still?.error?.message ?? "").length > 10);
});

const SUSPENDS = { ErrorBehavior: { DataErrorPolicy: "SUSPEND_TABLE" } };

test("a table that the target refuses is set aside, and the others go on", async () => {
  const [sourceDb, to] = [await source.createDatabase("refused"), await target.createDatabase("refused")];
  await source.query(
    `create schema app; create table app.good (id int primary key); create table app.bad (id int primary key);
     insert into app.good values (1); insert into app.bad values (5)`,
    sourceDb,
  );
  await target.query("create schema app; create table app.bad (id int primary key check (id < 5))", to);
  const { outcome } = await runToEnd(
    taskSpec({
      type: "full-load",
      source: endpointOf(source, sourceDb),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
      settings: JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" }, ...SUSPENDS }),
    }),
  );
  assert.equal(outcome.state, "stopped");
  assert.deepEqual(outcome.suspendedTables, [{ schema: "app", name: "bad" }]);
  const bad = outcome.progress.tables.find((table) => table.id.name === "bad");
  assert.equal(bad?.error?.code, "load.rejected");
  assert.match(bad?.error?.message ?? "", /23514|check/);
  assert.deepEqual(await target.query("select id from app.good", to), [{ id: 1 }]);
});

test("a change that the target refuses sets its table aside, and the others go on", async () => {
  const [sourceDb, to] = [await source.createDatabase("change"), await target.createDatabase("change")];
  await source.query(
    "create schema app; create table app.good (id int primary key); create table app.bad (id int primary key)",
    sourceDb,
  );
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, sourceDb),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
      settings: JSON.stringify(SUSPENDS),
    }),
  );
  await task.until((progress) => progress.phase === "replicating");
  await target.query("alter table app.bad add constraint small check (id < 5)", to);
  await source.query(
    "insert into app.good values (1); insert into app.bad values (7); insert into app.good values (2)",
    sourceDb,
  );
  await task.until((progress) => progress.tables.some((table) => table.error !== undefined));
  await source.query("insert into app.good values (3)", sourceDb);
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped");
  assert.deepEqual(outcome.suspendedTables, [{ schema: "app", name: "bad" }]);
  assert.deepEqual(await target.query("select id from app.good order by 1", to), [
    { id: 1 },
    { id: 2 },
    { id: 3 },
  ]);
});
