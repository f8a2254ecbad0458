import assert from "node:assert/strict";
import { test } from "node:test";
import { startMysql } from "../support/mysql-server.ts";
import { drain, notedPairs, reasons } from "../support/noted-schema.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { ToMysqlPair } from "../support/postgres-to-mysql.ts";
import { serverOfFile, serverPair } from "../support/server-pair.ts";
import type { ObservedTask } from "../support/task.ts";
import { schemas } from "../support/task.ts";

/*
 * One transaction gives a table columns, writes its rows anew, changes some of them and makes another table, while others write:
 * the target gets all of it.
 */

const [servers, mariadb] = await Promise.all([
  serverPair(),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const makePair = notedPairs(servers);

/** By what is sent: as one text without BEGIN the server makes one transaction of it. */
const texts: Readonly<Record<string, (n: number) => string>> = {
  simple: (n) => `${altered(n)}; ${changed(n)}; ${made(n)}`,
  filled: (n) => `begin; ${altered(n)}; ${changed(n)}; ${made(n)}; ${filled(n)}; commit`,
  apart: (n) => `begin; alter table app.t${n} add column b int; ${changed(n)}; ${made(n)}; commit;
    alter table app.t${n} alter a type bigint; ${filled(n)}`,
  later: (n) => `begin; alter table app.t${n} add column b int; alter table app.t${n} alter b set default 8;
    alter table app.t${n} alter a type bigint; ${changed(n)}; commit; ${made(n)}; ${filled(n)}`,
  nested: (
    n,
  ) => `begin; savepoint one; ${altered(n)}; release one; savepoint two; ${changed(n)}; savepoint three; ${made(n)};
    ${filled(n)}; rollback to three; ${made(n)}; ${filled(n)}; release two; commit`,
  undone: (
    n,
  ) => `begin; update app.w set n = n + 1 where id = 3; savepoint one; ${made(n)}; ${altered(n)}; rollback to one;
    ${made(n)}; ${filled(n)}; savepoint two; ${altered(n)}; ${changed(n)}; commit`,
};

const COUNT = 2 * Object.keys(texts).length;
const tables = Array.from({ length: COUNT }, (_, n) => n);

const schema = `create schema app; create table app.w (id int primary key, n int);
  insert into app.w select i, 0 from generate_series(1, 20) i;
  ${tables.map((n) => `create table app.t${n} (id int primary key, a int); insert into app.t${n} select i, i from generate_series(1, 20) i`).join("; ")}`;

function altered(n: number): string {
  return `alter table app.t${n} add column b int, alter column a type bigint`;
}

function changed(n: number): string {
  return `insert into app.t${n} values (100, 2000000000, 7); update app.t${n} set b = id where id < 5;
    delete from app.t${n} where id = 6`;
}

function made(n: number): string {
  return `create table app.u${n} (id int primary key, v text)`;
}

function filled(n: number): string {
  return `insert into app.u${n} select i, 'v' || i from generate_series(1, 5) i`;
}

/** Each session alters tables of its own in turn, and one writes all the time. */
async function alterAll(
  source: PostgresServer,
  database: string,
  sessions: readonly number[],
): Promise<void> {
  const ending = new AbortController();
  const writer = (async () => {
    const client = await source.connect(database);
    while (!ending.signal.aborted) await client.query("update app.w set n = n + 1 where id = 1");
    await client.end();
  })();
  const kinds = Object.values(texts);
  const altering = sessions.map(async (session) => {
    const client = await source.connect(database);
    for (const [i, text] of kinds.entries()) await client.query(text(session * kinds.length + i));
    await client.end();
  });
  try {
    await Promise.all(altering);
  } finally {
    ending.abort();
    await writer;
  }
}

async function drained(task: ObservedTask): Promise<void> {
  assert.deepEqual(reasons((await drain(task)).progress), {});
}

test("a transaction that alters a table in several ways and makes another is followed: PostgreSQL", async () => {
  const pair = await makePair("together", { schema });
  const task = await pair.replicate();
  await alterAll(servers.source, pair.from, [0, 1]);
  await drained(task);
  await pair.assertEqual();
});

test("a transaction that alters a table in several ways and makes another is followed: MariaDB", async () => {
  const pair = await ToMysqlPair.make(
    { source: servers.source, target: mariadb },
    { sql: schema, schemas: ["app"], tableMappings: schemas("app") },
  );
  try {
    const task = await pair.replicate();
    await alterAll(servers.source, pair.database, [0]);
    await drained(task);
    const followed = tables.slice(0, COUNT / 2);
    const names = ["w", ...followed.flatMap((n) => [`t${n}`, `u${n}`])];
    await pair.assertEqual(names.map((name) => ({ schema: "app", name })));
    const types = await pair.queryTarget(
      `select column_name as name, group_concat(distinct data_type) as types, count(*) as n from information_schema.columns
        where table_schema = 'app' and table_name in (${followed.map((n) => `'t${n}'`).join(", ")}) group by 1 order by 1`,
      "app",
    );
    assert.deepEqual(
      types.map(({ name, types: all, n }) => `${name} ${all} ${n}`),
      ["a bigint", "b int", "id int"].map((column) => `${column} ${followed.length}`),
    );
  } finally {
    await pair.end();
  }
});

test("a column whose value in rows that are written anew no note tells sets its table aside", async () => {
  const pair = await makePair("together_filled", {
    schema: `${schema}; create domain app.five as int default 5`,
  });
  const task = await pair.replicate();
  const columns = ["b int default 5", "b app.five", "b int generated always as identity"];
  for (const [n, column] of columns.entries()) {
    await pair.query(`alter table app.t${n} add column ${column}, alter column a type bigint`);
  }
  const told = "The table got the column b, and all its rows were written anew.";
  assert.deepEqual(reasons((await drain(task)).progress), { t0: told, t1: told, t2: told });
});
