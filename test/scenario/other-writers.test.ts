import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { Finding } from "../../src/core/finding.ts";
import { postgresEngine } from "../../src/engines/postgres/engine.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { ObservedTask, taskSpec } from "../support/task.ts";
import { validated } from "../support/validation.ts";

/* Who writes to the target beside Tideway is named, and nobody else: not the task, not another task, and not who reads. */

const server = await serverOfFile(startPostgres({ settings: { max_prepared_transactions: 5 } }));
const unaborted = new AbortController().signal;
const WAITING =
  "select pid from pg_stat_activity where application_name = 'tideway apply' and wait_event_type = 'Lock'";

async function session(database: string, user: string, application: string): Promise<pg.Client> {
  const url = new URL(server.url(database));
  if (user !== "postgres") [url.username, url.password] = [user, "pw"];
  const client = new pg.Client({ connectionString: url.href, application_name: application });
  await client.connect();
  return client;
}

const foreign = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ code }) => code === "target.foreign_writes")
    .map(({ subject, message }) => `${subject}: ${message}`);

test("a writer of the target is named once while a task replicates, and while the databases are compared", async () => {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  const tables = "create table item (id int primary key, word text); create table other (id int primary key)";
  await server.query(`${tables}; insert into item values (1, 'one')`, from);
  await server.query("create role app login password 'pw'");
  const spec = taskSpec({
    ...{ type: "full-load-and-cdc", source: endpointOf(server, from), target: endpointOf(server, to) },
  });
  const task = new ObservedTask(spec);
  await task.until(({ phase }) => phase === "replicating");
  await server.query("grant all on item, other to app", to);
  const writer = await session(to, "app", "shop front");
  const reader = await session(to, "app", "reports");
  // Another task that has begun to write.
  const load = await session(to, "postgres", "tideway load");
  // A trigger acts in the session of whoever sets it off: the task's own, and the writer's.
  await server.query(
    `create function copy() returns trigger language plpgsql as 'begin insert into other values (new.id); return null; end';
     create trigger copy after insert on item for each row execute function copy(); alter table item enable always trigger copy`,
    to,
  );
  try {
    await reader.query("begin; select * from item; select * from other for update");
    // It has the lock of a writer, and has written nothing.
    await reader.query("explain update item set word = 'planned'");
    await load.query("begin; insert into item values (900, 'loaded')");
    await writer.query("begin; insert into item values (100, 'mine')");
    await server.query("insert into item select i, 'x' from generate_series(2, 50) i", from);
    await eventually("the findings", async () => foreign(task.findings).length > 1);
    const { pid } = (await writer.query("select pg_backend_pid() as pid")).rows[0];
    const who = `(application shop front, from 127.0.0.1, session ${pid})`;
    const said = ["public.item", "public.other"].map(
      (table) => `${table}: The user app writes to the target's table ${table} ${who}.`,
    );
    assert.deepEqual(foreign(task.findings), said);
    const { findings, tables: compared } = await validated(spec);
    assert.deepEqual(foreign(findings), said);
    assert.equal(compared.get("item")?.verdict, "equal");
    assert.deepEqual(foreign(task.findings), said);
    // The task's own session has begun to write, and stands behind the writer's row.
    await server.query("insert into item values (100, 'theirs')", from);
    await eventually("the task's wait", async () => (await server.query(WAITING, to)).length > 0);
    await using target = await postgresEngine.openTarget(endpointOf(server, to), unaborted);
    const writers = await target.watchWriters([{ schema: "public", name: "item" }]).look(unaborted);
    assert.deepEqual(
      writers.map(({ application }) => application),
      ["shop front"],
    );
  } finally {
    for (const client of [writer, reader, load]) await client.end();
    task.running.stop();
    await task.running.outcome;
  }
});

test("whoever has no rights learns of writers without their address, and of prepared transactions, in the tables asked for", async () => {
  const database = await server.createDatabase("prepared");
  await server.query(
    "create role plain login password 'pw'; create table a (id int); create table b (id int)",
    database,
  );
  const plain = { ...endpointOf(server, database), username: "plain", password: "pw" };
  await using target = await postgresEngine.openTarget(plain, unaborted);
  const open = await session(database, "postgres", "psql");
  const client = await session(database, "postgres", "psql");
  const table = { schema: "public", name: "a" };
  const who = { table, user: "postgres", address: null, counted: null };
  try {
    await client.query(
      "begin; insert into a values (1); insert into b values (1); prepare transaction 'kept'",
    );
    await client.query("begin; insert into b values (2)");
    await open.query("begin; insert into a values (2)");
    const { pid } = (await open.query("select pg_backend_pid() as pid")).rows[0];
    assert.deepEqual(await target.watchWriters([table]).look(unaborted), [
      { ...who, session: null, prepared: "kept", application: null },
      { ...who, session: `${pid}`, prepared: null, application: "psql" },
    ]);
  } finally {
    await open.query("rollback");
    await open.query("rollback prepared 'kept'");
    for (const each of [open, client]) await each.end();
  }
});
