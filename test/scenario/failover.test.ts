import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { createDemoData } from "../support/demo-data.ts";
import { eventually } from "../support/eventually.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { replayed, STANDBY_SLOT, slotSynchronized, standbyOf } from "../support/standby.ts";
import { everything, runToEnd } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { Workload } from "../support/workload.ts";

/*
 * The source's address leads to another server: a standby that was promoted, or something that should not be there.
 */

const target = await startPostgres();
after(() => target[Symbol.asyncDispose]());

const settings = JSON.stringify({
  ErrorBehavior: { RecoverableErrorInterval: 1, RecoverableErrorThrottling: false },
});
const schema = `create schema app; create table app.t (id int primary key, v text);
  insert into app.t select i, 'loaded' from generate_series(1, 100) i`;

const pairs: TaskPair[] = [];
afterEach(() => Promise.all(pairs.splice(0).map((pair) => pair.end())));

async function pairOf(
  source: PostgresServer,
  parts: { readonly name: string; readonly schema: string; readonly tableMappings?: string },
): Promise<TaskPair> {
  const pair = await TaskPair.make({ source, target }, { ...parts, settings });
  pairs.push(pair);
  return pair;
}

/** Sends nothing to whoever reads failover slots that this standby does not have. */
async function waitFor(standby: string, primary: PostgresServer): Promise<void> {
  await primary.query(`alter system set synchronized_standby_slots = '${standby}'`);
  await primary.query("select pg_reload_conf()");
}

/** Nothing that is written on the primary from now on comes to the standby. */
async function cutOff(standby: PostgresServer): Promise<void> {
  await standby.query("alter system set primary_conninfo = ''");
  await standby.query("select pg_reload_conf()");
  await eventually("the standby to hang up", async () => {
    return (await standby.query("select 1 from pg_stat_wal_receiver")).length === 0;
  });
}

function through(proxy: TcpProxy, endpoint: EndpointConfig): EndpointConfig {
  return { ...endpoint, port: proxy.port };
}

async function rowsThere(pair: TaskPair, count: number): Promise<void> {
  await eventually(`${count} rows on the target`, async () => {
    return (await pair.queryTarget("select from app.t")).length === count;
  });
}

for (const version of [17, 18]) {
  test(`a task goes on at the promoted standby of a PostgreSQL ${version}, and applies each change once`, async () => {
    await using primary = await startPostgres({ version });
    await using standby = await standbyOf(primary);
    await waitFor(STANDBY_SLOT, primary);
    await using proxy = await TcpProxy.start(primary.port);
    const pair = await pairOf(primary, {
      name: "promoted",
      schema: "select",
      tableMappings: everything,
    });
    const { from, to } = pair;
    const sizes = await createDemoData(() => primary.connect(from), 30_000);
    const load = { sizes, clients: 2, transactionsPerSecond: 100 };
    await using before = await Workload.start({ ...load, connect: () => primary.connect(from) });
    const task = await pair.replicate({ source: through(proxy, pair.spec.source) });
    await slotSynchronized(primary, standby);
    await before.committed(before.statistics.commits + 100);
    await primary.stop("SIGQUIT");
    proxy.redirect(standby.port);
    await eventually("the task to meet the standby", async () =>
      task.logs.some(({ fields }) => fields["code"] === "source.standby"),
    );
    await standby.query("select pg_promote()");
    await using later = await Workload.start({ ...load, connect: () => standby.connect(from) });
    await later.committed(100);
    await later.stop();
    await eventually("the task to go on", async () =>
      task.logs.some(({ message }) => message.startsWith("the source was promoted")),
    );
    await task.until(({ phase }) => phase === "replicating");
    task.running.drain();
    const outcome = await task.running.outcome;
    assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
    assert.deepEqual(outcome.suspendedTables, []);
    const schemas = await standby.query(
      "select nspname as name from pg_namespace where nspname not like 'pg\\_%' and nspname not in ('information_schema', 'tideway_notes')",
      from,
    );
    await assertEqualDatabases({
      ...{ source: standby, from, target, to },
      schemas: schemas.map(({ name }) => name),
    });
    assert.deepEqual(await pair.queryTarget("select from awsdms_apply_exceptions"), []);
  });
}

test("without its slot on the promoted standby a task is refused with the reason, and can be started anew", async () => {
  await using primary = await startPostgres({ version: 17 });
  await using standby = await standbyOf(primary, { synchronizes: false });
  await using proxy = await TcpProxy.start(primary.port);
  const pair = await pairOf(primary, { name: "no_slot", schema });
  const source = through(proxy, pair.spec.source);
  const task = await pair.replicate({ source });
  await pair.query("insert into app.t values (101, 'before')");
  await rowsThere(pair, 101);
  task.running.stop();
  assert.equal((await task.running.outcome).state, "stopped");
  await replayed(primary, standby);
  await primary.stop("SIGQUIT");
  await standby.query("select pg_promote()");
  proxy.redirect(standby.port);
  // The second time it finds what the first has left.
  for (const _ of [1, 2]) {
    const { outcome } = await runToEnd({ ...pair.spec, source, start: "resume-processing" });
    assert.deepEqual(
      [outcome.error?.code, outcome.error?.subject],
      ["source.slot_missing", `tideway_${pair.spec.id}`],
    );
    assert.match(outcome.error!.message, /was promoted \(its timeline is 2\)/);
  }
  await rowsThere(pair, 101);
  await standby.query("insert into app.t values (102, 'after')", pair.from);
  const anew = await pair.replicate({ source, start: "reload-target" });
  anew.running.drain();
  assert.equal((await anew.running.outcome).state, "stopped");
  await assertEqualDatabases({ source: standby, from: pair.from, target, to: pair.to, schemas: ["app"] });
});

test("a task whose target has changes that the promoted standby has not is refused", async () => {
  await using primary = await startPostgres();
  await using standby = await standbyOf(primary);
  await using proxy = await TcpProxy.start(primary.port);
  const pair = await pairOf(primary, { name: "ahead", schema });
  const task = await pair.replicate({ source: through(proxy, pair.spec.source) });
  await slotSynchronized(primary, standby);
  await cutOff(standby);
  await pair.query("insert into app.t values (101, 'lost')");
  await rowsThere(pair, 101);
  await primary.stop("SIGQUIT");
  await standby.query("select pg_promote()");
  // By now the promoted server's log is longer than what was lost.
  await standby.query("insert into app.t select i, 'new' from generate_series(102, 2000) i", pair.from);
  proxy.redirect(standby.port);
  const { error } = await task.running.outcome;
  assert.equal(error?.code, "source.set_back", JSON.stringify(error));
  assert.match(
    error.message,
    /on timeline 2 when it was promoted, .* it holds changes that the source has lost/,
  );
});

test("a backlog is not read further than the standbys that are waited for", async () => {
  await using primary = await startPostgres();
  await using standby = await standbyOf(primary);
  const [{ conninfo }] = await standby.query("select current_setting('primary_conninfo') as conninfo");
  const pair = await pairOf(primary, { name: "waits", schema });
  const first = await pair.replicate();
  first.running.stop();
  await first.running.outcome;
  await waitFor(STANDBY_SLOT, primary);
  await cutOff(standby);
  await pair.query("insert into app.t select i, repeat('x', 500) from generate_series(101, 20000) i");
  const task = pair.run({ start: "resume-processing" });
  await eventually("the source to wait for its standby", async () => {
    const sql = "select from pg_stat_activity where wait_event = 'WaitForStandbyConfirmation'";
    return (await primary.query(sql)).length > 0;
  });
  await eventually("it to be told", async () =>
    task.findings.some(({ code }) => code === "source.standby_away"),
  );
  await task.until(({ log }) => log !== undefined && log.behindBytes > 10_000_000);
  assert.equal((await pair.queryTarget("select from app.t")).length, 100);
  await standby.query(`alter system set primary_conninfo = '${conninfo}'`);
  await standby.query("select pg_reload_conf()");
  await rowsThere(pair, 20_000);
  await task.until(({ phase }) => phase === "replicating");
  task.running.drain();
  assert.equal((await task.running.outcome).state, "stopped");
  await pair.assertEqual();
});

test("another server, and an earlier copy of the source, are refused before anything is taken from them", async () => {
  await using primary = await startPostgres();
  const pair = await pairOf(primary, { name: "other", schema });
  const first = await pair.replicate();
  first.running.stop();
  await first.running.outcome;
  await primary.stop();
  await using earlier = await primary.copy({});
  await primary.start();
  await pair.query("insert into app.t values (101, 'later')");
  const second = await pair.replicate({ start: "resume-processing" });
  await rowsThere(pair, 101);
  second.running.stop();
  await second.running.outcome;
  await earlier.start();
  await using other = await startPostgres();
  await other.query(`create database ${pair.from}`);
  await other.query(`${schema}; create publication tideway_${pair.spec.id} for table app.t`, pair.from);
  await other.query(
    `select pg_create_logical_replication_slot('tideway_${pair.spec.id}', 'pgoutput')`,
    pair.from,
  );
  const resume = async (server: PostgresServer): Promise<readonly unknown[]> => {
    const source = { ...pair.spec.source, port: server.port };
    const { outcome } = await runToEnd({ ...pair.spec, source, start: "resume-processing" });
    return [outcome.error?.code, outcome.error?.subject, outcome.suspendedTables];
  };
  assert.deepEqual(await resume(earlier), ["source.set_back", `127.0.0.1:${earlier.port}`, []]);
  assert.deepEqual(await resume(other), ["source.other_server", `127.0.0.1:${other.port}`, []]);
  const last = await pair.replicate({ start: "resume-processing" });
  last.running.drain();
  assert.equal((await last.running.outcome).state, "stopped");
  await pair.assertEqual();
});

test("two servers that went on from different positions on timelines of the same number are not the same", async () => {
  await using primary = await startPostgres();
  const pair = await pairOf(primary, { name: "twins", schema });
  const first = await pair.replicate();
  first.running.stop();
  await first.running.outcome;
  await primary.stop();
  await using one = await primary.copy({}, { recovered: true });
  await primary.start();
  await pair.query("insert into app.t select i, 'later' from generate_series(101, 200) i");
  await primary.stop();
  await using other = await primary.copy({}, { recovered: true });
  for (const server of [one, other]) {
    await server.start();
    await eventually("the end of the recovery", async () => {
      return !(await server.query("select pg_is_in_recovery() as recovers"))[0].recovers;
    });
  }
  await one.query("insert into app.t values (201, 'one')", pair.from);
  const second = await pair.replicate({
    source: { ...pair.spec.source, port: one.port },
    start: "resume-processing",
  });
  await rowsThere(pair, 101);
  second.running.stop();
  assert.equal((await second.running.outcome).state, "stopped");
  // By now the other's log is longer than what was read of the one's.
  await other.query("insert into app.t select i, 'other' from generate_series(202, 5000) i", pair.from);
  const source = { ...pair.spec.source, port: other.port };
  const { outcome } = await runToEnd({ ...pair.spec, source, start: "resume-processing" });
  assert.equal(outcome.error?.code, "source.other_server", JSON.stringify(outcome));
  assert.match(
    outcome.error.message,
    /on timeline 2, which began at .*not come from timeline 2, which began at /,
  );
  await rowsThere(pair, 101);
});
