import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted, unwrap } from "../../../../test/support/bulk-copy.ts";
import { onTarget, planAndTarget } from "../../../../test/support/engine-target.ts";
import { becomesTrue } from "../../../../test/support/eventually.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { buildAll, connectTo, prepareAll, type Target } from "../../../../test/support/schema-plan.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { MigrationError } from "../../../core/error.ts";
import type { MigrationPlan } from "../../../core/plan.ts";
import type { PostLoadStep } from "../../../core/post-load-step.ts";
import { postLoadSteps } from "./post-load.ts";

const server = await serverOfFile(startPostgres());

interface Prepared {
  readonly plan: MigrationPlan;
  readonly target: Target;
  readonly steps: readonly PostLoadStep[];
}

/** A target with the empty tables of `sql`, and what is left to be built. */
async function prepared(sql: string): Promise<Prepared> {
  const { plan, target } = await planAndTarget(server, sql);
  await prepareAll(target, plan, "drop-and-create");
  return { plan, target, steps: plan.tables.flatMap(postLoadSteps) };
}

function find(steps: readonly PostLoadStep[], subject: string): PostLoadStep {
  const step = steps.find((one) => one.subject === subject);
  assert.ok(step, `no step ${subject}`);
  return step;
}

/** Runs one step as the engine's target does. */
async function run(target: Target, step: PostLoadStep, signal = unaborted): Promise<void> {
  for (const outcome of await onTarget(target, (engine) => engine.runSteps([step], signal))) unwrap(outcome);
}

test("every step names its stage, its object and the tables it locks", async () => {
  const { steps } = await prepared(
    `create table a (id integer primary key, x integer unique, y integer, exclude using btree (y with =));
     create index plain on a (y); create unique index only_index on a (y);
     create table b (id integer not null, a integer constraint fk references a);
     create unique index identity on b (id); alter table b replica identity using index identity`,
  );
  const a = { schema: "public", name: "a" };
  const b = { schema: "public", name: "b" };
  assert.deepEqual(
    steps.map(({ stage, subject, plan, locks }) => [stage, subject, plan.source.id, locks]),
    [
      ["key", "a_pkey", a, [a]],
      ["unique", "a_x_key", a, [a]],
      ["unique", "a_y_excl", a, [a]],
      ["unique", "only_index", a, []],
      ["index", "plain", a, []],
      ["vacuum", "public.a", a, [a]],
      ["key", "identity", b, []],
      ["vacuum", "public.b", b, [b]],
      ["foreign-key", "fk", b, [a, b]],
    ],
  );
});

test("an invalid index that a crash left behind is built anew", async () => {
  const { target, steps } = await prepared("create table t (a integer); create unique index once on t (a)");
  await server.query("insert into t values (1), (1)", target.database);
  await assert.rejects(server.query("create unique index concurrently once on t (a)", target.database));
  await server.query("delete from t", target.database);
  await run(target, find(steps, "once"));
  const [index] = await server.query(
    "select indisvalid as valid from pg_index where indexrelid = 'once'::regclass",
    target.database,
  );
  assert.deepEqual(index, { valid: true });
});

test("rows that break a constraint are the table's error, without their values", async () => {
  const { target, steps } = await prepared(
    `create table parent (id integer primary key);
     create table child (id integer primary key, secret text unique, parent integer constraint fk references parent)`,
  );
  await run(target, find(steps, "parent_pkey"));
  await server.query(
    "insert into child values (1, 'hunter2', 471147), (2, 'hunter2', 471147)",
    target.database,
  );
  for (const subject of ["child_secret_key", "fk"]) {
    await assert.rejects(run(target, find(steps, subject)), (error: unknown) => {
      assert.ok(error instanceof MigrationError);
      assert.equal(error.code, "target.object_failed");
      assert.deepEqual(error.table, { schema: "public", name: "child" });
      assert.doesNotMatch(JSON.stringify(error) + error.message, /hunter2|471147/);
      return true;
    });
  }
  await server.query("insert into parent values (471147)", target.database);
  await run(target, find(steps, "fk"));
  const [key] = await server.query(
    "select convalidated from pg_constraint where conname = 'fk'",
    target.database,
  );
  assert.deepEqual(key, { convalidated: true });
});

test("constraints that the source has not checked do not look at the rows", async () => {
  const { plan, target } = await prepared(
    `create table parent (id integer primary key);
     create table child (parent integer, a integer);
     insert into child values (1, -1);
     alter table child add constraint fk foreign key (parent) references parent not valid;
     alter table child add constraint positive check (a > 0) not valid;
     alter table child add constraint there not null a not valid`,
  );
  await server.query("insert into child values (1, -1), (1, null)", target.database);
  await buildAll(target, plan);
  await buildAll(target, plan);
  await assert.rejects(server.query("insert into child values (1, 1)", target.database), /"fk"/);
  await assert.rejects(server.query("insert into child values (null, 0)", target.database), /"positive"/);
  await assert.rejects(server.query("insert into child values (null, null)", target.database), /"there"/);
});

test("foreign keys that cross are built at once while rows are being changed", async () => {
  const { target, steps } = await prepared(
    `create table a (id integer primary key, b integer); create table b (id integer primary key, a integer);
     alter table a add constraint ab foreign key (b) references b;
     alter table b add constraint ba foreign key (a) references a`,
  );
  for (const step of steps.filter(({ stage }) => stage === "key")) await run(target, step);
  await server.query("insert into a values (1, 1); insert into b values (1, 1)", target.database);
  const writer = await connectTo(server, target.database);
  try {
    // Holds a lock on the table that is locked second, then wants the first: the classical deadlock.
    await writer.query("begin; update b set a = 1");
    const built = Promise.all([run(target, find(steps, "ab")), run(target, find(steps, "ba"))]);
    await becomesTrue(server, target.database, "exists (select from pg_locks where not granted)");
    await writer.query("update a set b = 1");
    await writer.query("commit");
    await built;
  } finally {
    await writer.end();
  }
  const keys = await server.query(
    "select conname from pg_constraint where contype = 'f' and convalidated order by 1",
    target.database,
  );
  assert.deepEqual(keys, [{ conname: "ab" }, { conname: "ba" }]);
});

test("a step that is aborted ends its work on the server", { timeout: 60_000 }, async () => {
  const { target, steps } = await prepared("create table t (a integer); create index slow on t (a)");
  const blocker = await connectTo(server, target.database);
  try {
    await blocker.query("begin; lock table t in row exclusive mode");
    const controller = new AbortController();
    const running = run(target, find(steps, "slow"), controller.signal);
    const builders = `(select count(*) from pg_stat_activity
      where application_name = 'tideway build' and datname = current_database() and wait_event_type = 'Lock')`;
    await becomesTrue(server, target.database, `${builders} > 0`);
    const reason = new Error("stopped by the test");
    controller.abort(reason);
    await assert.rejects(running, reason);
    await becomesTrue(server, target.database, `${builders} = 0`);
  } finally {
    await blocker.end();
  }
  assert.deepEqual(await server.query("select from pg_class where relname = 'slow'", target.database), []);
});

test("steps of many tables run together, and one that fails leaves the others done", async () => {
  const { target, steps } = await prepared(
    `create table a (id integer primary key); create table b (id integer primary key);
     create table c (id integer primary key, x text); create index on c (x)`,
  );
  await server.query(
    "insert into a values (1); insert into b values (2), (2); insert into c values (3, 'x')",
    target.database,
  );
  const runSteps = (wanted: readonly PostLoadStep[]) =>
    onTarget(target, (engine) => engine.runSteps(wanted, unaborted));
  const wanted = steps.filter(({ stage }) => stage === "key" || stage === "index");
  const outcomes = await runSteps(wanted);
  const told = outcomes.map((outcome, i) => [wanted[i]!.subject, outcome?.code, outcome?.table?.name]);
  assert.deepEqual(told, [
    ["a_pkey", undefined, undefined],
    ["b_pkey", "target.object_failed", "b"],
    ["c_pkey", undefined, undefined],
    ["c_x_idx", undefined, undefined],
  ]);
  const indexes = await server.query(
    "select relname from pg_class where relkind = 'i' and relnamespace = 'public'::regnamespace order by 1",
    target.database,
  );
  assert.deepEqual(
    indexes.map(({ relname }) => relname),
    ["a_pkey", "c_pkey", "c_x_idx"],
  );
  // Done is done: the same steps again find nothing to do but the one that failed.
  const again = await runSteps(wanted);
  assert.deepEqual(
    again.map((outcome) => outcome?.code),
    [undefined, "target.object_failed", undefined, undefined],
  );
});

test("a loaded table is vacuumed: its rows are known to be visible, and its statistics are there", async () => {
  const { target, steps } = await prepared(
    "create table t (id integer primary key, note text); create unique index lower_note on t (lower(note))",
  );
  await server.query("insert into t select i, 'n' || i from generate_series(1, 5000) i", target.database);
  for (const stage of ["key", "vacuum", "unique", "analyze"]) {
    for (const step of steps.filter((one) => one.stage === stage)) await run(target, step);
  }
  const [facts] = await server.query(
    `select relallvisible = relpages and relpages > 0 as visible, reltuples::int as rows,
       (select count(*)::int from pg_stats where tablename = 't') as columns,
       (select count(*)::int from pg_stats where tablename = 'lower_note') as expressions
     from pg_class where relname = 't'`,
    target.database,
  );
  assert.deepEqual(facts, { visible: true, rows: 5000, columns: 2, expressions: 1 });
});
