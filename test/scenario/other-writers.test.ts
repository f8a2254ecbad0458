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

const server = await serverOfFile(
  startPostgres({ settings: { max_prepared_transactions: 5 } }),
);
const unaborted = new AbortController().signal;

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
  // A trigger of the target acts in the task's own session.
  await server.query(
    `create function copy() returns trigger language plpgsql as 'begin insert into other values (new.id); return null; end';
     create trigger copy after insert on item for each row execute function copy(); alter table item enable always trigger copy`,
    to,
  );
  try {
    await reader.query("begin; select * from item; select * from other for update");
    await load.query("begin; insert into item values (900, 'loaded')");
    await writer.query("begin; insert into item values (100, 'mine')");
    await server.query("insert into item select i, 'x' from generate_series(2, 50) i", from);
    await eventually("the finding", async () => foreign(task.findings).length > 0);
    const { pid } = (await writer.query("select pg_backend_pid() as pid")).rows[0];
    const said = `public.item: The user app writes to the target's table public.item (application shop front, from 127.0.0.1, session ${pid}).`;
    assert.deepEqual(foreign(task.findings), [said]);
    const { findings, tables: compared } = await validated(spec);
    assert.deepEqual(foreign(findings), [said]);
    assert.equal(compared.get("item")?.verdict, "equal");
    assert.deepEqual(foreign(task.findings), [said]);
  } finally {
    for (const client of [writer, reader, load]) await client.end();
    task.running.stop();
    await task.running.outcome;
  }
});

test("a transaction that is prepared is named by its owner, and tables of which none was asked are not", async () => {
  const database = await server.createDatabase("prepared");
  await server.query("create table a (id int); create table b (id int)", database);
  await using target = await postgresEngine.openTarget(endpointOf(server, database), unaborted);
  const client = await session(database, "postgres", "psql");
  try {
    await client.query(
      "begin; insert into a values (1); insert into b values (1); prepare transaction 'kept'",
    );
    const found = await target.otherWriters([{ schema: "public", name: "a" }], unaborted);
    assert.deepEqual(found, [
      {
        ...{ table: { schema: "public", name: "a" }, session: "prepared transaction kept", user: "postgres" },
        ...{ address: null, application: null },
      },
    ]);
  } finally {
    await client.query("rollback prepared 'kept'");
    await client.end();
  }
});
