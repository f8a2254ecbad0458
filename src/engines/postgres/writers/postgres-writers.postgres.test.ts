import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { becomesTrue, eventually } from "../../../../test/support/eventually.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { OtherWriter } from "../../../core/other-writer.ts";
import { postgresEngine } from "../engine.ts";

/* What a server shows of sessions that have ended before anybody has looked. */

const server = await serverOfFile(
  startPostgres({ settings: { shared_preload_libraries: "pg_stat_statements" } }),
);
const signal = new AbortController().signal;
await server.query("create role app login superuser password 'pw'");

async function session(database: string): Promise<pg.Client> {
  const url = new URL(server.url(database));
  [url.username, url.password] = ["app", "pw"];
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  return client;
}

async function writeAndLeave(database: string, sql: string): Promise<void> {
  const client = await session(database);
  await client.query(sql);
  await client.end();
  const isThere = `not exists (select from pg_stat_activity where datname = '${database}' and usename = 'app')`;
  await becomesTrue(server, "postgres", isThere);
}

/** The first who are told after writes that nobody sees at work. */
async function toldAfter(database: string, sql: string): Promise<readonly OtherWriter[]> {
  await using target = await postgresEngine.openTarget(endpointOf(server, database), signal);
  const watch = target.watchWriters(["item", "sale", "gone"].map((name) => ({ schema: "public", name })));
  await watch.look(signal);
  return await eventually("who has written", async () => {
    await writeAndLeave(database, sql);
    const found = await watch.look(signal);
    return found.length > 0 && found;
  });
}

test("rows that are written by a session that has gone are counted, in partitions too", async () => {
  const database = await server.createDatabase();
  await server.query(
    "create table item (id int); create table sale (id int) partition by list (id); create table sale_1 partition of sale default",
    database,
  );
  const [{ table, user, session, counted }, ...others] = (await toldAfter(
    database,
    "insert into sale_1 values (1), (2)",
  )) as [OtherWriter, ...OtherWriter[]];
  assert.deepEqual(
    { table, user, session },
    {
      table: { schema: "public", name: "sale" },
      user: null,
      session: null,
    },
  );
  assert.ok(counted!.rows! >= 2 && counted!.rows! % 2 === 0);
  assert.equal(counted!.onlyAccount, null);
  assert.deepEqual(others, []);
});

test("pg_stat_statements names the user of a statement whose session has gone", async () => {
  const database = await server.createDatabase();
  await server.query(
    "create table item (id int); create schema x; create extension pg_stat_statements schema x",
    database,
  );
  assert.deepEqual(await toldAfter(database, "begin; insert into item values (1); commit"), [
    {
      ...{ table: { schema: "public", name: "item" }, session: null, prepared: null, user: "app" },
      ...{ address: null, application: null, isStated: true, counted: null },
    },
  ]);
});

test("who empties a table is told, and who is refused it is not", async () => {
  const database = await server.createDatabase();
  await server.query(
    "create table item (id int); create table gone (id int primary key); create table held (id int references gone)",
    database,
  );
  await using target = await postgresEngine.openTarget(endpointOf(server, database), signal);
  const watch = target.watchWriters(["item", "gone"].map((name) => ({ schema: "public", name })));
  const client = await session(database);
  try {
    assert.deepEqual(await watch.look(signal), []);
    await assert.rejects(client.query("truncate gone"), /foreign key/);
    assert.deepEqual(await watch.look(signal), []);
    await client.query("truncate item");
    const found = await eventually("who empties", async () => {
      const told = await watch.look(signal);
      return told.length > 0 && told;
    });
    assert.deepEqual(
      found.map(({ table, user }) => [table.name, user]),
      [["item", "app"]],
    );
  } finally {
    await client.end();
  }
});

test("a name without a schema is not told where two tables have it", async () => {
  const database = await server.createDatabase();
  await server.query(
    "create table item (id int); create table sale (id int); create schema x; create table x.item (id int); create extension pg_stat_statements schema x",
    database,
  );
  const found = await toldAfter(
    database,
    "set search_path = x, public; insert into item values (1); insert into sale values (1)",
  );
  assert.deepEqual(
    found.map(({ table, user }) => [table.name, user]),
    [["sale", "app"]],
  );
});
