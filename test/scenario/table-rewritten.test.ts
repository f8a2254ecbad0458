import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

const servers = await serverPair();
const { source, target } = servers;

const tables = `create schema app; create table app.a (id int primary key, v text);
  create table app.t (id int primary key, v text); create table app.u (id int); alter table app.u replica identity full`;
const rows = `insert into app.a values (1, 'a'); insert into app.t select i, 'old' from generate_series(1, 500) i;
  insert into app.u select i from generate_series(1, 500) i`;

/** Until a load waits for the lock that somebody holds on the target. */
async function loadWaits(pair: TaskPair): Promise<void> {
  await eventually("a load that waits", () =>
    finds(
      target,
      `select from pg_stat_activity
        where datname = '${pair.to}' and application_name = 'tideway load' and wait_event_type = 'Lock'`,
    ),
  );
}

async function finds(server: PostgresServer, query: string): Promise<boolean> {
  const [{ found }] = await server.query(`select exists (${query}) as found`);
  return found;
}

for (const type of ["full-load-and-cdc", "full-load"] as const) {
  test(`tables that are truncated or rewritten before they are read are read again (${type})`, async (t) => {
    const pair = await TaskPair.make(servers, {
      ...{ name: "rewritten", schema: `${tables}; ${rows}`, type, untilCaughtUp: true },
      settings: JSON.stringify({
        FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING", MaxFullLoadSubTasks: 1 },
      }),
    });
    await pair.queryTarget(tables);
    const blocker = await target.connect(pair.to);
    t.after(() => blocker.end());
    await blocker.query("begin; lock table app.a, app.t, app.u in share mode");
    const task = new ObservedTask(pair.spec);
    t.after(() => task.running.stop());
    // Nothing has been read then.
    await loadWaits(pair);
    await pair.query("truncate app.t; insert into app.t values (7, 'new')");
    await pair.query("vacuum full app.u");
    await blocker.query("commit");
    const outcome = await task.running.outcome;
    assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
    assert.deepEqual(outcome.suspendedTables, []);
    const again = task.logs.filter(({ message }) => message.includes("reading them again"));
    assert.deepEqual(
      again.map(({ fields }) => fields),
      [{ tables: 2 }],
    );
    await pair.assertEqual();
  });
}

test("no part of a table that was read before it was rewritten stays beside those that are read later", async (t) => {
  const table =
    "create table app.t (id int primary key, v int, pad text); alter table app.t alter pad set storage external";
  // Large enough for ranges of the key, with few rows; a range is more than all buffers on the way can hold.
  const pair = await TaskPair.make(servers, {
    name: "in_parts",
    schema: `create schema app; ${table};
      insert into app.t select i, i, repeat('p', 7000) from generate_series(1, 20000) i; analyze app.t`,
    settings: JSON.stringify({
      FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING", MaxFullLoadSubTasks: 1 },
      TidewaySettings: { SharedReadLimitInMB: 0 },
    }),
    untilCaughtUp: true,
  });
  // The first range waits while it is written, once.
  await pair.queryTarget(
    `create schema app; ${table}; create function wait() returns trigger language plpgsql as $$ begin
       perform pg_advisory_xact_lock_shared(7); return new; end $$;
     create trigger wait before insert on app.t for each row when (new.id = 1) execute function wait();
     alter table app.t enable always trigger wait`,
  );
  const blocker = await target.connect(pair.to);
  t.after(() => blocker.end());
  await blocker.query("select pg_advisory_lock(7)");
  const task = new ObservedTask(pair.spec);
  t.after(() => task.running.stop());
  await loadWaits(pair);
  // It has to wait for the first range to be read, and the second has to wait for it.
  const rewriting = pair.query("alter table app.t alter v type int using v + 1");
  const isWaiting = `select from pg_locks where not granted and mode = 'AccessExclusiveLock'`;
  await eventually("a rewrite that waits", () => finds(source, isWaiting));
  await blocker.query("select pg_advisory_unlock(7)");
  await rewriting;
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  assert.equal(task.logs.filter(({ message }) => message.includes("reading them again")).length, 1);
  const [{ wrong }] = await pair.queryTarget("select count(*)::int as wrong from app.t where v <> id + 1");
  assert.equal(wrong, 0);
  await pair.queryTarget("drop trigger wait on app.t");
  await pair.assertEqual();
});

test("a table that is truncated while it is loaded again is read again, and the changes of the others go on", async (t) => {
  const pair = await TaskPair.make(servers, { name: "reloaded", schema: `${tables}; ${rows}` });
  t.after(() => pair.end());
  const task = await pair.replicate();
  const applying = (): Promise<unknown[]> =>
    target.query(
      `select pid from pg_stat_activity where datname = '${pair.to}' and application_name = 'tideway apply'`,
    );
  const sessions = await applying();
  const blocker = await target.connect(pair.to);
  t.after(() => blocker.end());
  await blocker.query("begin; lock table app.t in row share mode");
  task.running.reloadTables([{ schema: "app", name: "t" }]);
  // It has its snapshot, and nothing has been read from it.
  await eventually("a reload that waits", () =>
    finds(
      target,
      `select from pg_locks l join pg_database d on d.oid = l.database where d.datname = '${pair.to}' and not l.granted`,
    ),
  );
  await pair.query("truncate app.t; insert into app.t values (7, 'new')");
  await pair.query("update app.a set v = 'beside'; insert into app.t values (8, 'newer')");
  await blocker.query("commit");
  await task.until(({ phase, tables }) => {
    return (
      phase === "replicating" && tables.some(({ reloaded, state }) => reloaded && state === "Table completed")
    );
  });
  const again = task.logs.filter(({ message }) => message.includes("reading them again"));
  assert.deepEqual(
    again.map(({ fields }) => fields),
    [{ tables: 1 }],
  );
  assert.deepEqual(await applying(), sessions);
  await pair.query("update app.t set v = 'last' where id = 7");
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await pair.assertEqual();
});

test("a table that is set aside while another part of it is found rewritten is not read again", async (t) => {
  const table =
    "create table app.t (id int primary key, v int, pad text); alter table app.t alter pad set storage external";
  const pair = await TaskPair.make(servers, {
    ...{ name: "aside", type: "full-load" },
    schema: `create schema app; create table app.a (id int primary key); insert into app.a values (1); ${table};
      insert into app.t select i, i, repeat('p', 7000) from generate_series(1, 20000) i; analyze app.t`,
    settings: JSON.stringify({
      FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING", MaxFullLoadSubTasks: 2 },
      ErrorBehavior: { DataErrorPolicy: "SUSPEND_TABLE" },
      TidewaySettings: { SharedReadLimitInMB: 0 },
    }),
  });
  // The first range waits when it commits, for which it has been read; then it is refused, but only once.
  await pair.queryTarget(
    `create schema app; create table app.a (id int primary key); ${table}; create sequence app.times;
     create function refuse() returns trigger language plpgsql as $$ begin
       if (select is_called from app.times) then return null; end if;
       perform pg_advisory_xact_lock_shared(7), nextval('app.times');
       raise exception 'refused'; end $$;
     create constraint trigger refuse after insert on app.t deferrable initially deferred
       for each row when (new.id = 1) execute function refuse();
     alter table app.t enable always trigger refuse`,
  );
  const [early, late, holder] = [
    await target.connect(pair.to),
    await target.connect(pair.to),
    await target.connect(pair.to),
  ];
  const cutting = await source.connect(pair.from);
  t.after(() => Promise.all([early, late, holder, cutting].map((client) => client.end())));
  await holder.query("select pg_advisory_lock(7)");
  await early.query("begin; lock table app.a");
  const task = new ObservedTask(pair.spec);
  t.after(() => task.running.stop());
  const waiting = (what: string): Promise<boolean> =>
    finds(
      target,
      `select from pg_stat_activity where datname = '${pair.to}' and wait_event_type = 'Lock' and ${what}`,
    );
  await eventually("tables that cannot be prepared", () => waiting("application_name like 'tideway%'"));
  // One of two lanes gets the other table, and is held up there; so the other one has the first range.
  await cutting.query("begin; lock table app.t");
  const locked = late.query("begin; lock table app.a in share mode");
  await eventually("a lock that comes next", () => waiting("query like '%share mode'"));
  await early.query("commit");
  await locked;
  await eventually("a lane that is held up", () => waiting("application_name = 'tideway load'"));
  await cutting.query("commit");
  await eventually("a first range that is written", () => waiting("wait_event = 'advisory'"));
  await pair.query("alter table app.t alter v type int using v + 1");
  await late.query("commit");
  await eventually("a second range that is not to be read", async () => {
    const sessions = `select from pg_stat_activity where datname = '${pair.to}' and application_name = 'tideway load'`;
    const isLoaded = task.last?.tables.some(
      ({ id, state }) => id.name === "a" && state === "Table completed",
    );
    return (
      isLoaded === true &&
      !(await finds(target, `${sessions} and state <> 'idle' and wait_event is distinct from 'advisory'`))
    );
  });
  await holder.query("select pg_advisory_unlock(7)");
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, [{ schema: "app", name: "t" }]);
  assert.deepEqual(await pair.queryTarget("select id from app.a"), [{ id: 1 }]);
});
