import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { becomesTrue, eventually } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/*
 * Servers that refuse, hold up, end or forget the sessions of a task. Each test has databases and a role of
 * its own, without any privilege but those that docs/engines/postgres.md asks for, so they run at once.
 */

const { source, target } = await serverPair();

interface Stage {
  readonly role: string;
  readonly from: string;
  readonly to: string;
  readonly source: EndpointConfig;
  readonly target: EndpointConfig;
}

async function stage(name: string, rows = 100): Promise<Stage> {
  const role = `mover_${name}`;
  for (const server of [source, target]) {
    await server.query(`create role ${role} login replication password '${server.password}'`);
  }
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  await source.query(`alter database ${from} owner to ${role}`);
  await target.query(`alter database ${to} owner to ${role}`);
  await source.query(
    `set role ${role}; create schema app; create table app.t (id int primary key, v text);
     insert into app.t select i, 'v' || i from generate_series(1, ${rows}) i`,
    from,
  );
  const as = { username: role };
  return {
    role,
    from,
    to,
    source: { ...endpointOf(source, from), ...as },
    target: { ...endpointOf(target, to), ...as },
  };
}

function start(
  ends: Pick<Stage, "source" | "target">,
  type: "full-load-and-cdc" | "full-load" = "full-load-and-cdc",
): ObservedTask {
  return new ObservedTask(
    taskSpec({
      type,
      source: ends.source,
      target: ends.target,
      tableMappings: schemas("app"),
      settings: JSON.stringify({
        ErrorBehavior: { RecoverableErrorInterval: 1, RecoverableErrorThrottling: false },
      }),
    }),
  );
}

/** Resolves with the fields of the first line from `from` on that holds the text. */
async function logged(
  task: ObservedTask,
  text: string,
  from = 0,
): Promise<Readonly<Record<string, unknown>>> {
  const find = async () =>
    task.logs.slice(from).find((log) => `${log.message} ${JSON.stringify(log.fields)}`.includes(text));
  const found = await eventually(`"${text}" in the log`, find).catch((error: Error) =>
    assert.fail(`${error.message}; but ${JSON.stringify(task.logs)}`),
  );
  return found.fields;
}

async function drained(task: ObservedTask, { from, to }: Stage): Promise<void> {
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
}

/** Of a row of pg_stat_activity. */
const applyWaits =
  "application_name = 'tideway apply' and wait_event_type = 'Lock' and datname = current_database()";
/** Longer than every limit of the role, and than a session may be silent before the server is asked about it. */
const forAMinute = "query_start < clock_timestamp() - interval '60 seconds'";

const isReplicating = ({ phase }: { readonly phase: string }): boolean => phase === "replicating";

describe("a task survives", { concurrency: true }, () => {
  test("a lock that is held on the target for a minute: it waits whatever limits its role has, and says who holds it", async () => {
    const it = await stage("lock");
    for (const limit of [
      "statement_timeout",
      "lock_timeout",
      "transaction_timeout",
      "idle_session_timeout",
    ]) {
      for (const server of [source, target]) await server.query(`alter role ${it.role} set ${limit} = '10s'`);
    }
    const task = start(it);
    await task.until(isReplicating);
    const holder = await target.connect(it.to);
    await holder.query("set application_name = 'reporting'; begin; lock table app.t");
    await source.query("update app.t set v = 'changed' where id <= 10", it.from);
    const told = await logged(task, "waiting for a lock");
    const { side, waiting, holder: named, state, seconds } = told;
    assert.deepEqual([side, waiting, state, seconds], ["target", "tideway apply", "hidden", null]);
    assert.match(String(named), /^session \d+ of postgres \(reporting\)$/);
    const outlasts = `${applyWaits} and ${forAMinute}`;
    await becomesTrue(target, it.to, `exists (select from pg_stat_activity where ${outlasts})`);
    await holder.end();
    await becomesTrue(target, it.to, "(select count(*) = 10 from app.t where v = 'changed')");
    assert.ok(!task.logs.some(({ message }) => message.includes("trying again")), JSON.stringify(task.logs));
    await drained(task, it);
  });

  test("a deadlock in which the target gives it up", async () => {
    const it = await stage("deadlock");
    // Long enough for the other side to come in, whose own limit comes later.
    await target.query(`alter role ${it.role} set deadlock_timeout = '30s'`);
    const task = start(it);
    await task.until(isReplicating);
    const other = await target.connect(it.to);
    await other.query("set deadlock_timeout = '10min'; begin; update app.t set v = 'theirs' where id = 2");
    await source.query(
      "begin; update app.t set v = 'a' where id = 1; update app.t set v = 'b' where id = 2; commit",
      it.from,
    );
    await becomesTrue(target, it.to, `exists (select from pg_stat_activity where ${applyWaits})`);
    await other.query("update app.t set v = 'theirs' where id = 1; rollback");
    await other.end();
    await logged(task, "target.busy");
    await becomesTrue(target, it.to, "(select v = 'b' from app.t where id = 2)");
    await drained(task, it);
  });

  for (const side of ["source", "target"] as const) {
    test(`no free connection on the ${side}, at the start and later`, async () => {
      const it = await stage(`limit_${side}`);
      const server = side === "source" ? source : target;
      const limit = (count: number) => server.query(`alter role ${it.role} connection limit ${count}`);
      await limit(0);
      const task = start(it);
      await logged(task, "connect.too_many");
      await limit(-1);
      await task.until(isReplicating);
      const before = task.logs.length;
      await limit(0);
      await server.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${it.role}'`,
      );
      await source.query("update app.t set v = 'changed' where id <= 10", it.from);
      await logged(task, "connect.too_many", before);
      await limit(-1);
      await becomesTrue(target, it.to, "(select count(*) = 10 from app.t where v = 'changed')");
      await task.until(isReplicating);
      await drained(task, it);
    });
  }

  test("connections that carry nothing any more without a word, in the load", async () => {
    const it = await stage("forgot_load", 25_000);
    await using proxies = await throughProxies(it);
    proxies.target.slow(50_000);
    const task = start(proxies.ends);
    await task.until(({ tables }) => tables.some(({ fullLoadRows }) => fullLoadRows > 0));
    proxies.source.forget();
    proxies.target.forget();
    proxies.target.heal();
    await logged(task, "connect.lost");
    await task.until(isReplicating);
    await drained(task, it);
  });

  for (const side of ["source", "target"] as const) {
    test(`connections to the ${side} that carry nothing any more without a word, while it replicates`, async () => {
      const it = await stage(`forgot_${side}`);
      await using proxies = await throughProxies(it);
      const task = start(proxies.ends);
      await task.until(isReplicating);
      proxies[side].forget();
      await source.query("update app.t set v = 'changed' where id <= 10", it.from);
      await becomesTrue(target, it.to, "(select count(*) = 10 from app.t where v = 'changed')");
      assert.equal((await logged(task, "connect.lost"))["code"], "connect.lost");
      await task.until(isReplicating);
      await drained(task, it);
      // What was under way to the target has been sent again.
      assert.deepEqual(
        task.last!.tables.map(({ updates }) => updates),
        [10],
      );
    });
  }

  test("an idle database beside a busy one: the source may discard its log", async () => {
    const it = await stage("idle");
    const busy = await source.createDatabase("busy");
    const task = start(it);
    await task.until(isReplicating);
    await source.query("create table t as select repeat('x', 1000) from generate_series(1, 20000)", busy);
    const [{ written }] = await source.query("select pg_current_wal_lsn()::text as written");
    const slot = `slot_name like 'tideway_%' and database = current_database()`;
    await becomesTrue(
      source,
      it.from,
      `(select confirmed_flush_lsn >= '${written}' from pg_replication_slots where ${slot})`,
    );
    await drained(task, it);
  });
});

interface Proxies extends AsyncDisposable {
  readonly source: TcpProxy;
  readonly target: TcpProxy;
  readonly ends: Pick<Stage, "source" | "target">;
}

/** A network to each side that can be made to fail. */
async function throughProxies(it: Stage): Promise<Proxies> {
  const [toSource, toTarget] = [await TcpProxy.start(source.port), await TcpProxy.start(target.port)];
  return {
    source: toSource,
    target: toTarget,
    ends: {
      source: { ...it.source, port: toSource.port },
      target: { ...it.target, port: toTarget.port },
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([toSource, toTarget].map((proxy) => proxy[Symbol.asyncDispose]()));
    },
  };
}
