import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { findLeftovers } from "../../src/engines/postgres/leftovers.ts";
import { cleanUpTask } from "../../src/server/run-task.ts";
import type { TaskProgress, TaskSpec } from "../../src/task/task.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

/*
 * Two databases that replicate to each other. The newer server leaves out by itself what has an origin, the older
 * one sends all of it.
 */

const [a, b, oldest, old] = await Promise.all([
  startPostgres({ version: 18, settings: { max_active_replication_origins: 1 } }),
  startPostgres({ version: 14 }),
  startPostgres({ version: 12 }),
  startPostgres({ version: 13 }),
]);
const newer = await startPostgres({ version: 16 });
after(async () => {
  await Promise.all([a, b, oldest, old, newer].map((server) => server[Symbol.asyncDispose]()));
});

const never = new AbortController().signal;

function loopless(
  type: TaskSpec["type"],
  from: readonly [PostgresServer, string],
  to: readonly [PostgresServer, string],
  settings: object = {},
): TaskSpec {
  return taskSpec({
    type,
    source: endpointOf(...from),
    target: endpointOf(...to),
    tableMappings: schemas("app"),
    settings: JSON.stringify({
      ErrorBehavior: { RecoverableErrorInterval: 1 },
      LoopbackPreventionSettings: { EnableLoopbackPrevention: true },
      ...settings,
    }),
  });
}

const isReplicating = ({ phase }: TaskProgress): boolean => phase === "replicating";

function applied({ tables }: TaskProgress): readonly number[] {
  const sum = (of: (table: TaskProgress["tables"][number]) => number): number =>
    tables.reduce((total, table) => total + of(table), 0);
  return [
    sum((table) => table.appliedInserts),
    sum((table) => table.appliedUpdates),
    sum((table) => table.appliedDeletes),
    sum((table) => table.conflicts),
  ];
}

const insertsReach =
  (count: number) =>
  (progress: TaskProgress): boolean =>
    isReplicating(progress) && applied(progress)[0]! >= count;

async function origins(server: PostgresServer): Promise<readonly string[]> {
  const rows = await server.query("select roname as name from pg_replication_origin order by 1");
  return rows.map(({ name }) => name);
}

for (const [first, second] of [
  [a, b],
  [oldest, old],
  [newer, a],
] as const) {
  test(`two tasks in opposite directions, of versions ${first.version} and ${second.version}, apply each change once, and both sides end equal`, (t) =>
    bothWays(t, first, second));
}

/** Runs both tasks, the second when the first replicates; resolves when both do. */
async function startBoth(
  t: TestContext,
  forth: TaskSpec,
  back: TaskSpec,
): Promise<{ readonly going: ObservedTask; readonly coming: ObservedTask }> {
  const start = async (spec: TaskSpec): Promise<ObservedTask> => {
    const task = new ObservedTask(spec);
    t.after(() => task.running.stop());
    await task.until(isReplicating);
    return task;
  };
  return { going: await start(forth), coming: await start(back) };
}

async function bothWays(t: TestContext, a: PostgresServer, b: PostgresServer): Promise<void> {
  const [one, two] = [await a.createDatabase("two_way"), await b.createDatabase("two_way")];
  await a.query(
    `create schema app; create table app.t (id int primary key, v text);
     create table app.log (note text); alter table app.log replica identity full;
     insert into app.t select i, 'first' from generate_series(1, 100) i`,
    one,
  );
  const forth = loopless("full-load-and-cdc", [a, one], [b, two]);
  const back = loopless("cdc", [b, two], [a, one]);
  const { going, coming } = await startBoth(t, forth, back);

  await a.query(
    "insert into app.t select i, 'a' from generate_series(1001, 1150) i; update app.t set v = 'a' where id <= 50",
    one,
  );
  await b.query("insert into app.t values (2001, 'b'); insert into app.log values ('b'), ('b')", two);
  await Promise.all([going.until(insertsReach(150)), coming.until(insertsReach(3))]);
  await b.query(
    "update app.t set v = 'b' where id between 1001 and 1100; delete from app.t where id = 60",
    two,
  );
  await coming.until((progress) => applied(progress)[2] === 1);

  // So much that what has gathered is read in rounds.
  coming.running.stop();
  const first = await coming.running.outcome;
  assert.deepEqual(applied(first.progress), [3, 100, 1, 0]);
  await a.query("insert into app.t select i, repeat('long', 375) from generate_series(3001, 7000) i", one);
  await going.until(insertsReach(4150));
  await b.query("insert into app.t values (2002, 'b')", two);
  const again = new ObservedTask({ ...back, start: "resume-processing" });
  t.after(() => again.running.stop());
  await again.until(insertsReach(1));

  assert.throws(() => going.running.reloadTables([{ schema: "app", name: "t" }]), {
    code: "usage.invalid",
    message: /EnableLoopbackPrevention/,
  });

  going.running.drain();
  again.running.drain();
  const [went, came] = [await going.running.outcome, await again.running.outcome];
  for (const { state, error } of [went, came]) assert.equal(state, "stopped", JSON.stringify(error));
  assert.deepEqual(applied(went.progress), [4150, 50, 0, 0]);
  assert.deepEqual(applied(came.progress), [1, 0, 0, 0]);
  // A start that is refused takes nothing from the task: it goes on from where it was.
  await a.query("insert into app.t values (2003, 'a')", one);
  const refused = await runToEnd({ ...forth, start: "reload-target" });
  assert.equal(refused.outcome.error?.code, "target.captured");
  const resumed = await runToEnd({ ...forth, start: "resume-processing", untilCaughtUp: true });
  assert.equal(resumed.outcome.state, "stopped", JSON.stringify(resumed.outcome.error));
  assert.deepEqual(applied(resumed.outcome.progress), [1, 0, 0, 0]);
  await assertEqualDatabases({ source: a, from: one, target: b, to: two, schemas: ["app"] });

  const left = await findLeftovers(forth.target, never);
  assert.deepEqual(
    left.filter(({ kind }) => kind === "replication origin").map(({ taskId, inUse }) => [taskId, inUse]),
    [[forth.id, false]],
  );
  // It is the whole server's, but not to be removed by who looks after another of its databases.
  const elsewhere = await findLeftovers({ ...forth.target, database: "postgres" }, never);
  assert.deepEqual(elsewhere, []);
  await Promise.all([cleanUpTask(forth, never), cleanUpTask(back, never)]);
  assert.deepEqual([await origins(a), await origins(b)], [[], []]);
}

test("a task is not started while the one in the opposite direction still loads, and starts when it replicates", async (t) => {
  const [one, two] = [await a.createDatabase("loading"), await b.createDatabase("loading")];
  const table = "create schema app; create table app.t (id int primary key)";
  await a.query(`${table}; insert into app.t select generate_series(1, 100)`, one);
  await b.query(table, two);
  const holder = await b.connect(two);
  // It may be read, not written.
  await holder.query("begin; lock table app.t in share mode");
  const back = loopless("cdc", [b, two], [a, one]);
  const keeping = { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };
  const forth = loopless("full-load-and-cdc", [a, one], [b, two], keeping);
  const going = new ObservedTask(forth);
  t.after(() => going.running.stop());
  await eventually("the load to wait", async () => {
    const [there] = await b.query("select to_regclass('public.awsdms_table_state') is not null as yes", two);
    return there.yes && (await b.query("select from awsdms_table_state", two)).length > 0;
  });
  const { outcome } = await runToEnd(back);
  assert.equal(outcome.error?.code, "source.being_loaded");
  await holder.query("rollback");
  await holder.end();
  await going.until(isReplicating);
  const coming = await runToEnd({ ...back, untilCaughtUp: true });
  assert.equal(coming.outcome.state, "stopped", JSON.stringify(coming.outcome.error));
  assert.deepEqual(applied(coming.outcome.progress), [0, 0, 0, 0]);
  going.running.drain();
  assert.equal((await going.running.outcome).state, "stopped");
  await assertEqualDatabases({ source: a, from: one, target: b, to: two, schemas: ["app"] });
  await Promise.all([cleanUpTask(forth, never), cleanUpTask(back, never)]);
});

/** Two databases with a table each, of which the first one's has rows; and the tasks in both directions. */
async function pair(name: string): Promise<{ one: string; two: string; forth: TaskSpec; back: TaskSpec }> {
  const [one, two] = [await a.createDatabase(name), await b.createDatabase(name)];
  const table = "create schema app; create table app.t (id int primary key)";
  await a.query(`${table}; insert into app.t select generate_series(1, 100)`, one);
  await b.query(table, two);
  const emptying = { FullLoadSettings: { TargetTablePrepMode: "TRUNCATE_BEFORE_LOAD" } };
  const forth = loopless("full-load-and-cdc", [a, one], [b, two], emptying);
  return { one, two, forth, back: loopless("cdc", [b, two], [a, one]) };
}

const rowsIn = async (server: PostgresServer, database: string): Promise<number> =>
  (await server.query("select count(*)::int as n from app.t", database))[0].n;

test("a load that has found nobody in its way, and then waits, is refused for the task that has started meanwhile", async (t) => {
  const { one, two, forth, back } = await pair("load_waits");
  const request = { taskId: forth.id, controlSchema: undefined };
  await (await openJournal(forth.target, request, never))[Symbol.asyncDispose]();
  const holder = await b.connect(two);
  // Its records may be read, not written.
  await holder.query("begin; lock table awsdms_table_state in share mode");
  const going = new ObservedTask(forth);
  t.after(() => going.running.stop());
  await eventually("the load to wait", async () => {
    const waits = await b.query(
      "select from pg_locks where not granted and relation = 'awsdms_table_state'::regclass",
      two,
    );
    return waits.length > 0;
  });
  const coming = new ObservedTask(back);
  t.after(() => coming.running.stop());
  await coming.until(isReplicating);
  await holder.query("rollback");
  await holder.end();
  assert.equal((await going.running.outcome).error?.code, "target.captured");
  coming.running.drain();
  const came = await coming.running.outcome;
  assert.equal(came.state, "stopped", JSON.stringify(came.error));
  assert.equal(await rowsIn(a, one), 100);
  await Promise.all([cleanUpTask(forth, never), cleanUpTask(back, never)]);
});

test("a task whose stream has to wait is refused, and gives it up, when a load was planned before that is there", async (t) => {
  const { two, forth, back } = await pair("stream_waits");
  const request = { taskId: forth.id, controlSchema: undefined };
  await using journal = await openJournal(forth.target, request, never);
  const holder = await b.connect(two);
  await holder.query("begin; create table app.written ()");
  const coming = new ObservedTask(back);
  t.after(() => coming.running.stop());
  const slots = "select slot_name as name from pg_replication_slots where database = current_database()";
  await eventually("the stream to wait", async () => (await b.query(slots, two)).length > 0);
  const table = { id: { schema: "app", name: "t" }, created: false, snapshot: undefined, partitions: [] };
  await journal.planTables([table], never);
  await holder.query("rollback");
  await holder.end();
  assert.equal((await coming.running.outcome).error?.code, "source.being_loaded");
  assert.deepEqual(await b.query(slots, two), []);
  await Promise.all([cleanUpTask(forth, never), cleanUpTask(back, never)]);
});

test("a target's user who may not mark changes is told of it before the start, with what to grant", async () => {
  const [one, two] = [await b.createDatabase("privilege"), await a.createDatabase("privilege")];
  await b.query(
    "create schema app; create table app.t (id int primary key); insert into app.t values (1)",
    one,
  );
  await a.query(
    `create role writer login password 'writer'; grant create on database ${two} to writer;
     grant usage, create on schema public to writer`,
    two,
  );
  const whole = loopless("full-load-and-cdc", [b, one], [a, two]);
  const spec = { ...whole, target: { ...whole.target, username: "writer", password: "writer" } };
  const refused = await runToEnd(spec);
  assert.equal(refused.outcome.error?.code, "target.origin_privilege");
  assert.deepEqual(await origins(a), []);
  await cleanUpTask(spec, never);
  const remedy = /: (grant .*;)$/.exec(refused.outcome.error.remedy)?.[1];
  assert.ok(remedy !== undefined, refused.outcome.error.remedy);
  await a.query(remedy, two);
  await a.query("select pg_replication_origin_create('another')");
  const full = await runToEnd(spec);
  assert.equal(full.outcome.error?.code, "target.origin_limit");
  await a.query("select pg_replication_origin_drop('another')");
  const { outcome } = await runToEnd({ ...spec, untilCaughtUp: true });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(await origins(a), [`tideway_${spec.id}`]);
  await cleanUpTask(spec, never);
  assert.deepEqual(await origins(a), []);
});

test("a schema change does not come back to where it was made, and what has been made there since stays", async (t) => {
  const [one, two] = [await a.createDatabase("schema"), await b.createDatabase("schema")];
  await a.query(
    "create schema app; create table app.t (id int primary key, v text, w text); insert into app.t values (1, 'v', 'w')",
    one,
  );
  const forth = loopless("full-load-and-cdc", [a, one], [b, two]);
  const back = loopless("cdc", [b, two], [a, one]);
  const { going, coming } = await startBoth(t, forth, back);
  coming.running.stop();
  await coming.running.outcome;
  for (const sql of [
    "alter table app.t drop column v",
    "alter table app.t add column v text default 'new'",
    "begin; alter table app.t rename v to x; alter table app.t rename w to v; alter table app.t rename x to w; commit",
    "update app.t set w = 'kept'; insert into app.t values (2, 'two', 'new')",
  ]) {
    await a.query(sql, one);
  }
  await going.until(insertsReach(1));
  await b.query("insert into app.t values (3, 'three', 'b')", two);
  const again = new ObservedTask({ ...back, start: "resume-processing" });
  t.after(() => again.running.stop());
  await again.until(insertsReach(1));
  for (const { running } of [going, again]) {
    running.drain();
    const { state, error, progress } = await running.outcome;
    assert.equal(state, "stopped", JSON.stringify(error));
    assert.deepEqual(
      progress.tables.filter((table) => table.error !== undefined),
      [],
    );
  }
  assert.deepEqual(await a.query("select * from app.t order by id", one), [
    { id: 1, v: "w", w: "kept" },
    { id: 2, v: "two", w: "new" },
    { id: 3, v: "three", w: "b" },
  ]);
  await assertEqualDatabases({ source: a, from: one, target: b, to: two, schemas: ["app"] });
  await Promise.all([cleanUpTask(forth, never), cleanUpTask(back, never)]);
});
