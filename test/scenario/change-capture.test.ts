import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskSpec } from "../../src/task/task.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";
import { runPgbench } from "../support/workload.ts";

const { source, target } = await serverPair();

async function pair(name: string, schema: string): Promise<{ from: string; to: string; spec: TaskSpec }> {
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  await source.query(schema, from);
  const spec = taskSpec({
    type: "full-load-and-cdc",
    source: endpointOf(source, from),
    target: endpointOf(target, to),
    tableMappings: schemas("app"),
  });
  return { from, to, spec };
}

const small = `create schema app; create table app.t (id int primary key, v text);
  create table app.other (id int primary key, v text);
  insert into app.t select i, 'v' || i from generate_series(1, 1000) i; insert into app.other values (1, 'one')`;

test("four clients of pgbench write through the whole task, and both sides are equal at the end", async (t) => {
  const [from, to] = [await source.createDatabase("bench"), await target.createDatabase("bench")];
  await runPgbench({ url: source.url(from), args: ["-i", "-s", "10", "-q"] });
  await source.query(
    "alter table pgbench_history add column id bigint generated always as identity primary key",
    from,
  );
  const load = runPgbench({ url: source.url(from), args: ["-c", "4", "-T", "12"] });
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: schemas("public"),
    }),
  );
  await load;
  await task.until((progress) => progress.phase === "replicating");
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const applied = outcome.progress.tables.reduce(
    (sum, table) => sum + table.appliedInserts + table.appliedUpdates,
    0,
  );
  assert.ok(applied > 1000, `${applied} changes`);
  assert.equal(
    outcome.progress.tables.reduce((sum, table) => sum + table.conflicts, 0),
    0,
  );
  t.diagnostic(`${applied} changes, lag ${JSON.stringify(outcome.progress.lag)}`);
  await assertEqualDatabases({ source, from, target, to, schemas: ["public"] });
});

test("a stopped task resumes where it was and applies what came meanwhile exactly once", async () => {
  const { from, to, spec } = await pair("stopped", small);
  const first = new ObservedTask(spec);
  await first.until((progress) => progress.phase === "replicating");
  await source.query("update app.t set v = 'first' where id < 10", from);
  first.running.stop();
  const stopped = await first.running.outcome;
  assert.equal(stopped.stopReason, "NORMAL");
  await source.query(
    "insert into app.t values (5000, 'while stopped'); delete from app.t where id = 3",
    from,
  );
  const { outcome } = await runToEnd({ ...spec, start: "resume-processing", untilCaughtUp: true });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.equal(
    outcome.progress.tables.reduce((sum, table) => sum + table.conflicts, 0),
    0,
  );
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
});

/** Waits until the target's table has so many rows; more than that at any time is a failure. */
async function untilRows(database: string, rows: number): Promise<void> {
  await eventually(`${rows} rows`, async () => {
    const [found] = await target.query("select count(*)::int as n from app.t", database);
    assert.ok(found.n <= rows, `${found.n} rows`);
    return found.n === rows;
  });
}

test("a lost connection on either side is survived without losing or doubling a change", async () => {
  const { from, to, spec } = await pair("lost", small);
  const task = new ObservedTask(spec);
  await task.until((progress) => progress.phase === "replicating");
  for (let round = 0; round < 3; round++) {
    await source.query(
      `insert into app.t select 10000 * ${round + 1} + i, 'x' from generate_series(1, 500) i`,
      from,
    );
    const server = round % 2 === 0 ? source : target;
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'tideway%' and datname = current_database()`,
      server === source ? from : to,
    );
    await source.query(
      `insert into app.t select 10000 * ${round + 1} + 1000 + i, 'y' from generate_series(1, 500) i`,
      from,
    );
    // Not by the task's counts: when a commit's answer is lost, its rows are there but were not counted.
    await untilRows(to, 1000 * (round + 2));
  }
  await task.until((progress) => progress.phase === "replicating");
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.ok(task.logs.some((log) => log.message.includes("trying again")));
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
});

test("one table is loaded again while changes of the others go on", async () => {
  const { from, to, spec } = await pair("reload", small);
  const task = new ObservedTask(spec);
  await task.until((progress) => progress.phase === "replicating");
  await target.query(
    "delete from app.t where id % 2 = 0; update app.t set v = 'damaged' where id % 3 = 0",
    to,
  );
  task.running.reloadTables([{ schema: "app", name: "t" }]);
  await source.query(
    "insert into app.other values (2, 'meanwhile'); insert into app.t values (7000, 'meanwhile')",
    from,
  );
  await task.until((progress) =>
    progress.tables.some((table) => table.reloaded && table.state === "Table completed"),
  );
  await source.query("update app.t set v = 'after' where id = 7000", from);
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
  assert.throws(() => task.running.reloadTables([{ schema: "app", name: "no such" }]), {
    code: "usage.invalid",
  });
});

test("reload-target starts over with a new slot", async () => {
  const { from, to, spec } = await pair("again", small);
  await runToEnd({ ...spec, untilCaughtUp: true });
  await target.query("delete from app.t", to);
  await source.query("insert into app.t values (8000, 'new')", from);
  const { outcome } = await runToEnd({ ...spec, start: "reload-target", untilCaughtUp: true });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
});

test("a task without full load applies changes from its start on, or from a given LSN of a kept slot", async () => {
  const { from, to, spec } = await pair("only", small);
  await target.query(
    "create schema app; create table app.t (id int primary key, v text); create table app.other (id int primary key, v text)",
    to,
  );
  // With SlotName, slot and publication are the user's: made before the position, kept afterwards.
  await source.query("create publication kept_only for table app.t, app.other", from);
  await source.query("select pg_create_logical_replication_slot('kept_only', 'pgoutput')", from);
  await source.query("insert into app.other values (10, 'before the position')", from);
  const [{ lsn }] = await source.query("select pg_current_wal_lsn()::text as lsn", from);
  await source.query("insert into app.other values (11, 'after the position')", from);
  const kept: TaskSpec = {
    ...spec,
    type: "cdc",
    source: { ...spec.source, settings: { SlotName: "kept_only" } },
    cdcStartPosition: lsn,
    untilCaughtUp: true,
  };
  const refused = await runToEnd({ ...kept, cdcStartPosition: "FFFF/0" });
  assert.equal(refused.outcome.error?.code, "source.position_unavailable");
  const { outcome } = await runToEnd(kept);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(await target.query("select id from app.other order by id", to), [{ id: 11 }]);
  assert.equal((await target.query("select count(*)::int as n from app.t", to))[0].n, 0);
});

test("a table that is left out of the mappings before it is loaded is set aside, and loaded when it is back", async () => {
  const { from, to, spec } = await pair("left_out", small);
  const again = { ...spec, start: "resume-processing", untilCaughtUp: true } as const;
  await runToEnd({ ...spec, untilCaughtUp: true });
  // As a task leaves it that ends before it has made the table.
  await target.query(
    `update awsdms_table_state set state = 'planned' where table_name = 'other';
     delete from awsdms_load_state where table_name = 'other'; truncate app.other`,
    to,
  );
  const rules = JSON.parse(spec.tableMappings);
  rules.rules[0]["object-locator"]["table-name"] = "t";
  const without = await runToEnd({ ...again, tableMappings: JSON.stringify(rules) });
  assert.equal(without.outcome.state, "stopped", JSON.stringify(without.outcome.error));
  const states = "select table_name as name, state from awsdms_table_state order by 1";
  assert.deepEqual(await target.query(states, to), [
    { name: "other", state: "suspended" },
    { name: "t", state: "ready" },
  ]);
  const { outcome } = await runToEnd(again);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
});

test("a stop position by commit time leaves later transactions out", async () => {
  const { from, to, spec } = await pair("time", small);
  const first = new ObservedTask(spec);
  await first.until((progress) => progress.phase === "replicating");
  first.running.stop();
  await first.running.outcome;
  await source.query("insert into app.other values (20, 'before')", from);
  await source.query("select pg_sleep(1.1)");
  const [{ now }] = await source.query(
    "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS') as now",
  );
  await source.query("select pg_sleep(1.1)");
  await source.query("insert into app.other values (21, 'after')", from);
  const { outcome } = await runToEnd({
    ...spec,
    start: "resume-processing",
    cdcStopPosition: `commit_time:${now}`,
  });
  assert.equal(outcome.stopReason, "STOPPED_AT_COMMIT_TIME");
  assert.deepEqual(await target.query("select id from app.other where id >= 20", to), [{ id: 20 }]);
});

test("sequences stand on the target where they stand on the source when a task is drained", async () => {
  const { from, to, spec } = await pair(
    "sequences",
    "create schema app; create table app.t (id serial primary key, n bigint generated by default as identity)",
  );
  const task = new ObservedTask(spec);
  await task.until((progress) => progress.phase === "replicating");
  await source.query(
    "insert into app.t (n) select i from generate_series(1, 70) i; select setval('app.t_n_seq', 900)",
    from,
  );
  task.running.drain();
  await task.running.outcome;
  await target.query("insert into app.t default values", to);
  assert.deepEqual(await target.query("select id, n::int from app.t order by id desc limit 1", to), [
    { id: 71, n: 901 },
  ]);
});

for (const [setting, stopReason, rows] of [
  ["StopTaskCachedChangesNotApplied", "STOPPED_AFTER_FULL_LOAD", 1000],
  ["StopTaskCachedChangesApplied", "STOPPED_AFTER_CACHED_EVENTS", 1001],
] as const) {
  test(`${setting} ends the task after the load, and resuming applies the rest`, async () => {
    const { from, to, spec } = await pair(setting.toLowerCase(), small);
    const stopping = { ...spec, settings: JSON.stringify({ FullLoadSettings: { [setting]: true } }) };
    const task = new ObservedTask(stopping);
    await task.until((progress) => progress.phase === "full-load");
    await source.query("insert into app.t values (9000, 'while loading')", from);
    const outcome = await task.running.outcome;
    assert.equal(outcome.stopReason, stopReason, JSON.stringify(outcome.error));
    assert.equal((await target.query("select count(*)::int as n from app.t", to))[0].n, rows);
    const resumed = await runToEnd({ ...spec, start: "resume-processing", untilCaughtUp: true });
    assert.equal(resumed.outcome.state, "stopped", JSON.stringify(resumed.outcome.error));
    await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
  });
}
