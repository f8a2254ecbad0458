import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { TableId } from "../../src/core/schema.ts";
import type { TaskOutcome, TaskProgress } from "../../src/task/task.ts";
import { stillWanted } from "../../src/task/wanted-reloads.ts";
import { becomesTrue } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask, runToEnd } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

const { source, target } = await serverPair();

const small = `create schema app; create table app.t (id int primary key, v text);
  create table app.other (id int primary key, v text);
  insert into app.t select i, 'v' || i from generate_series(1, 1000) i; insert into app.other values (1, 'one')`;

const t: TableId = { schema: "app", name: "t" };

const pairs: TaskPair[] = [];
afterEach(() => Promise.all(pairs.splice(0).map((pair) => pair.end())));

async function makePair(name: string, schema = small): Promise<TaskPair> {
  // Without event triggers, which would have changes followed that are to set tables aside here.
  const sourceSettings = { CaptureDdls: false };
  const pair = await TaskPair.make({ source, target }, { name, schema, sourceSettings });
  pairs.push(pair);
  return pair;
}

/** Loads everything, then stops the task. */
async function loadAndStop(pair: TaskPair): Promise<void> {
  const task = await pair.replicate();
  task.running.stop();
  await task.running.outcome;
}

async function others(pair: TaskPair): Promise<number[]> {
  return (await pair.queryTarget("select id from app.other order by id")).map(({ id }) => id);
}

const isReplicating = (progress: TaskProgress): boolean => progress.phase === "replicating";
const hasError = (progress: TaskProgress): boolean =>
  progress.tables.some(({ error }) => error !== undefined);

async function reload(task: ObservedTask, id: TableId): Promise<void> {
  task.running.reloadTables([id]);
  await task.until(
    (progress) =>
      isReplicating(progress) &&
      progress.tables.some(
        (table) => table.id.name === id.name && table.reloaded && table.state === "Table completed",
      ),
  );
}

async function drain(task: ObservedTask): Promise<TaskOutcome> {
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  return outcome;
}

test("a table that was altered while the task was stopped is set aside, and the others go on", async () => {
  const pair = await makePair("altered");
  await loadAndStop(pair);
  await source.query(
    "insert into app.t values (2000, 'x'); insert into app.other values (2, 'a')",
    pair.from,
  );
  await source.query("alter table app.t alter v type varchar(20)", pair.from);
  await source.query(
    "insert into app.t values (2001, 'x'); insert into app.other values (3, 'a')",
    pair.from,
  );
  const { outcome } = await runToEnd({ ...pair.spec, start: "resume-processing", untilCaughtUp: true });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, [t]);
  assert.deepEqual(await others(pair), [1, 2, 3]);
});

test("a table that is altered and written in one transaction is set aside, and the others go on", async () => {
  const pair = await makePair("altering");
  const task = await pair.replicate();
  await source.query(
    `begin; insert into app.t values (2000, 'x'); alter table app.t rename v to w;
     insert into app.t values (2001, 'x'); insert into app.other values (3, 'a'); commit`,
    pair.from,
  );
  await task.until(hasError);
  assert.deepEqual((await drain(task)).suspendedTables, [t]);
  assert.deepEqual(await others(pair), [1, 3]);
});

test("a table that cannot be published is set aside, and the others are replicated", async () => {
  const pair = await makePair("unlogged", `${small}; create unlogged table app.u (id int primary key)`);
  const task = await pair.replicate();
  await source.query("insert into app.other values (2, 'a')", pair.from);
  assert.deepEqual((await drain(task)).suspendedTables, [{ schema: "app", name: "u" }]);
  assert.deepEqual(await others(pair), [1, 2]);
});

test("a table that was taken out of the publication is set aside, and comes back when it is loaded again", async () => {
  const pair = await makePair("unpublished");
  await loadAndStop(pair);
  await source.query(`alter publication tideway_${pair.spec.id} drop table app.t`, pair.from);
  await source.query(
    "insert into app.t values (2000, 'lost'); insert into app.other values (2, 'a')",
    pair.from,
  );
  const task = await pair.replicate({ start: "resume-processing" });
  assert.ok(hasError(task.last!));
  await reload(task, t);
  await source.query(
    "insert into app.t values (2001, 'x'); insert into app.other values (3, 'a')",
    pair.from,
  );
  assert.deepEqual((await drain(task)).suspendedTables, []);
  await pair.assertEqual();
});

test("a table that was set aside is described anew when it is loaded again, and stays aside while nothing was mended", async () => {
  const pair = await makePair(
    "mended",
    `${small}; create table app.k (v int not null); insert into app.k values (1)`,
  );
  const k: TableId = { schema: "app", name: "k" };
  const task = await pair.replicate();
  assert.ok(hasError(task.last!));
  task.running.reloadTables([k]);
  const failures = (): number => task.logs.filter(({ message }) => message === "table failed").length;
  await task.until(() => failures() === 2);
  assert.equal(task.last?.tables.find(({ id }) => id.name === "k")?.error?.code, "source.no_key");
  assert.equal((await target.query("select to_regclass('app.k') as k", pair.to))[0].k, null);
  await source.query("alter table app.k add primary key (v); insert into app.k values (5)", pair.from);
  await reload(task, k);
  await source.query("insert into app.k values (7)", pair.from);
  assert.deepEqual((await drain(task)).suspendedTables, []);
  await pair.assertEqual();
});

test("a publication that was dropped or lost a table is noticed before the task says that all is applied", async () => {
  const pair = await makePair("noticed");
  const publication = `tideway_${pair.spec.id}`;
  const task = await pair.replicate();
  await source.query(`alter publication ${publication} drop table app.t`, pair.from);
  await source.query("insert into app.t values (2000, 'lost')", pair.from);
  assert.deepEqual((await drain(task)).suspendedTables, [t]);
  const again = await pair.replicate({ start: "resume-processing" });
  await source.query(`drop publication ${publication}`, pair.from);
  await source.query("insert into app.other values (2, 'lost')", pair.from);
  again.running.drain();
  assert.equal((await again.running.outcome).error?.code, "source.publication_missing");
});

test("a table that was dropped on the target is made again with its foreign keys when it is loaded again", async () => {
  const pair = await makePair(
    "dropped",
    `${small}; create table app.child (id int primary key, t_id int references app.t, label text unique);
     insert into app.child select i, i, 'c' || i from generate_series(1, 100) i`,
  );
  const task = await pair.replicate();
  await target.query("drop table app.child", pair.to);
  await source.query("delete from app.child where id = 3", pair.from);
  await task.until(hasError);
  await task.until(isReplicating);
  await reload(task, { schema: "app", name: "child" });
  await source.query(
    "insert into app.t values (5000, 'x'); insert into app.child values (5000, 5000, 'x')",
    pair.from,
  );
  await drain(task);
  await pair.assertEqual();
});

test("a table with rows from before the task is not loaded again on top of what was loaded", async () => {
  const pair = await makePair(
    "kept",
    `${small}; create table app.k (v int); alter table app.k replica identity full;
    insert into app.k values (1), (2)`,
  );
  await target.query("create schema app; create table app.k (v int); insert into app.k values (-1)", pair.to);
  const settings = JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } });
  const task = new ObservedTask({ ...pair.spec, settings });
  await task.until(isReplicating);
  // Together with one that is: the next run must not take it for one whose rows are still to come either.
  const wishes = [{ schema: "app", name: "k" }, t].map((table) => ({ ...table, number: 7 }));
  task.running.reloadTables(wishes);
  await source.query("insert into app.k values (3)", pair.from);
  const { progress } = await drain(task);
  // The control plane takes both for answered, and wishes no later run to load one of them.
  assert.equal(stillWanted(wishes, { ...progress, phase: "replicating" }), undefined);
  await runToEnd({ ...pair.spec, settings, start: "resume-processing", untilCaughtUp: true });
  assert.ok(task.findings.some(({ code }) => code === "load.rows_kept"));
  const rows = await target.query("select v from app.k order by v", pair.to);
  assert.deepEqual(
    rows.map(({ v }) => v),
    [-1, 1, 2, 3],
  );
});

test("a table that was refused from the start keeps its rows from before the task when it is loaded again", async () => {
  const pair = await makePair(
    "refused",
    `${small}; create table app.k (v int); insert into app.k values (1), (2)`,
  );
  await target.query("create schema app; create table app.k (v int); insert into app.k values (-1)", pair.to);
  const settings = JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } });
  const task = new ObservedTask({ ...pair.spec, settings });
  await task.until(isReplicating);
  assert.ok(hasError(task.last!));
  await source.query("alter table app.k replica identity full", pair.from);
  await reload(task, { schema: "app", name: "k" });
  await source.query("insert into app.k values (3)", pair.from);
  await drain(task);
  const rows = await target.query("select v from app.k order by v", pair.to);
  assert.deepEqual(
    rows.map(({ v }) => v),
    [-1, 1, 2, 3],
  );
});

test("a drain waits for a table that is being loaded again", async () => {
  const pair = await makePair("drained");
  const task = await pair.replicate();
  await target.query("delete from app.t where id > 10", pair.to);
  task.running.reloadTables([t]);
  const outcome = await drain(task);
  assert.equal(outcome.progress.tables.find(({ id }) => id.name === "t")?.state, "Table completed");
  await pair.assertEqual();
});

test("changes of other tables do not wait for a table that is being loaded again", async () => {
  const pair = await makePair("beside");
  const task = await pair.replicate();
  const blocker = await target.connect(pair.to);
  try {
    await blocker.query("begin; lock table app.t in row share mode");
    task.running.reloadTables([t]);
    await task.until((progress) => progress.tables.some(({ state }) => state === "Table is being reloaded"));
    for (let i = 2; i < 5; i++)
      await source.query(`insert into app.other values (${i}, 'beside')`, pair.from);
    await task.until((progress) => progress.tables.some((table) => table.appliedInserts === 3));
    assert.ok(task.last?.tables.some(({ state }) => state === "Table is being reloaded"));
  } finally {
    await blocker.query("commit");
    await blocker.end();
  }
  await drain(task);
  await pair.assertEqual();
});

test("a table that is to be loaded again and waits for its turn is, also when the one before it fails", async () => {
  const pair = await makePair("queued");
  const settings = JSON.stringify({ ErrorBehavior: { RecoverableErrorInterval: 1 } });
  const task = await pair.replicate({ settings });
  await target.query("delete from app.t where id > 10; delete from app.other", pair.to);
  const blocker = await target.connect(pair.to);
  try {
    await blocker.query("begin; lock table app.t in row share mode");
    task.running.reloadTables([t]);
    const isWaiting = "from pg_locks where not granted and relation = 'app.t'::regclass";
    await becomesTrue(target, pair.to, `exists (select ${isWaiting})`);
    task.running.reloadTables([{ schema: "app", name: "other" }]);
    await target.query(`select pg_terminate_backend(pid) ${isWaiting}`, pair.to);
    await becomesTrue(target, pair.to, `not exists (select ${isWaiting})`);
  } finally {
    await blocker.query("commit");
    await blocker.end();
  }
  const { tables } = (await drain(task)).progress;
  assert.ok(task.logs.some(({ message }) => message === "task interrupted, trying again"));
  assert.ok(tables.every(({ reloaded }) => reloaded));
  await pair.assertEqual();
});

test("a stop position leaves out what commits after it, also when it lies behind the end of the log", async () => {
  const pair = await makePair("position");
  await loadAndStop(pair);
  await source.query("insert into app.other values (20, 'before')", pair.from);
  const [{ lsn }] = await source.query("select pg_current_wal_lsn()::text as lsn", pair.from);
  await source.query("insert into app.other values (21, 'after')", pair.from);
  const { outcome } = await runToEnd({ ...pair.spec, start: "resume-processing", cdcStopPosition: lsn });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(await others(pair), [1, 20]);
});

test("a second stop gives up what the target does not let in, and nothing is lost", async () => {
  const pair = await makePair("locked");
  const task = await pair.replicate();
  const blocker = await target.connect(pair.to);
  try {
    await blocker.query("begin; lock table app.t");
    await source.query("insert into app.t values (9000, 'late')", pair.from);
    await task.until((progress) => progress.tables.some((table) => table.inserts === 1));
    task.running.stop();
    task.running.stop();
    assert.equal((await task.running.outcome).stopReason, "NORMAL");
  } finally {
    await blocker.query("commit");
    await blocker.end();
  }
  await runToEnd({ ...pair.spec, start: "resume-processing", untilCaughtUp: true });
  await pair.assertEqual();
});
