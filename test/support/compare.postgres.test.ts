import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { compareDatabases, describeComparison } from "./compare.ts";
import { compareSchemas, describeSchemaDifferences } from "./compare-schemas.ts";
import { createDemoData } from "./demo-data.ts";
import { startPostgres } from "./postgres-server.ts";
import { serverOfFile } from "./server-pair.ts";
import { Workload } from "./workload.ts";

const server = await serverOfFile(startPostgres());

interface Pair extends AsyncDisposable {
  readonly source: pg.Client;
  readonly target: pg.Client;
}

/** Two databases that were made by the same SQL; `change` then alters the target. */
async function pair(sql: string, change = "select 1"): Promise<Pair> {
  const source = await server.connect(await server.createDatabase());
  const target = await server.connect(await server.createDatabase());
  for (const client of [source, target]) await client.query(sql);
  await target.query(change);
  return {
    source,
    target,
    async [Symbol.asyncDispose]() {
      await Promise.all([source.end(), target.end()]);
    },
  };
}

const TABLE = `create table t (a int, b text, c numeric, primary key (a));
  insert into t select i, case when i % 3 > 0 then 'row ' || i end, i / 7.0 from generate_series(1, 5000) i`;

test("equal databases compare as equal, empty tables and odd names included", async () => {
  await using both = await pair(
    `${TABLE}; create table "Odd ""name""." ("select" text, "Größe" bytea); create table empty (); create schema "S p"; create table "S p".t as select 1 as x`,
  );
  const result = await compareDatabases(both);
  assert.equal(result.equal, true, describeComparison(result));
  assert.equal(result.tables, 4);
  assert.equal(result.rows, 5001);
});

test("a missing, an extra and a different row are told apart by their keys", async () => {
  await using both = await pair(
    TABLE,
    "delete from t where a = 17; insert into t values (-1, 'x'); update t set c = c + 0.0001 where a = 4711",
  );
  const [found] = (await compareDatabases(both)).differences;
  assert.deepEqual(found?.missing, ['["17"]']);
  assert.deepEqual(found?.extra, ['["-1"]']);
  assert.deepEqual(found?.different, ['["4711"]']);
});

test("values that only look alike are different", async () => {
  const sql = "create table t (k int primary key, a text, b text, n numeric)";
  const rows = (values: string): string => `insert into t values ${values}`;
  for (const [ours, theirs] of [
    ["(1, null, '', 1.0)", "(1, '', null, 1.0)"],
    ["(1, 'ab', 'c', 1.0)", "(1, 'a', 'bc', 1.0)"],
    ["(1, 'x', 'y', 1.0)", "(1, 'x', 'y', 1.00)"],
    ["(1, '-', '1:-', 1)", "(1, '-', '-', 1)"],
    ["(1, 'e\u0301', '', 1)", "(1, '\u00e9', '', 1)"],
  ] as const) {
    await using both = await pair(sql);
    await both.source.query(rows(ours));
    await both.target.query(rows(theirs));
    const result = await compareDatabases(both);
    assert.deepEqual(result.differences[0]?.different, ['["1"]'], `${ours} against ${theirs}`);
  }
});

test("a duplicate in a table without a key is noticed, twice two as well as two against one", async () => {
  const sql = "create table t (a int); insert into t select i % 4 from generate_series(1, 8) i";
  await using one = await pair(sql, "insert into t values (1)");
  assert.equal((await compareDatabases(one)).differences[0]?.repeated.length, 1);
  await using swapped = await pair(sql, "update t set a = 2 where a = 1");
  const result = await compareDatabases(swapped);
  assert.equal(result.differences[0]?.missing.length, 1);
  assert.equal(result.differences[0]?.repeated.length, 1);
});

test("a table or column that the target lacks is a difference", async () => {
  await using table = await pair(TABLE, "drop table t");
  assert.match((await compareDatabases(table)).differences[0]?.problem ?? "", /no such table on the target/);
  await using column = await pair(TABLE, "alter table t rename b to d");
  assert.match((await compareDatabases(column)).differences[0]?.problem ?? "", /columns differ: b, d/);
});

test("renamed tables are compared under their target's name", async () => {
  await using both = await pair(
    TABLE,
    "create schema s; alter table t set schema s; alter table s.t rename to u",
  );
  const result = await compareDatabases({ ...both, targetName: () => ({ schema: "s", name: "u" }) });
  assert.equal(result.equal, true, describeComparison(result));
});

test("tables with a thousand columns are compared", async () => {
  const columns = Array.from({ length: 1000 }, (_, i) => `c${i} int`).join(", ");
  await using both = await pair(`create table wide (${columns}); insert into wide (c0, c999) values (1, 2)`);
  assert.equal((await compareDatabases(both)).equal, true);
  await both.target.query("update public.wide set c999 = 3");
  assert.equal((await compareDatabases(both)).equal, false);
});

test("the demo's schema is equal to itself, and every kind of object that is lost shows", async () => {
  const source = await server.createDatabase();
  await createDemoData(() => server.connect(source), 1000);
  const clone = async (): Promise<string> => {
    const name = `${source}_clone`;
    await server.query(`drop database if exists ${name}`);
    await server.query(`create database ${name} template ${source}`);
    return name;
  };
  const losses: readonly [statement: string, fact: RegExp][] = [
    ["select 1", /^$/],
    ["alter table shop.orders alter note set default 'x'", /column shop\.orders\.note/],
    ["alter table shop.orders alter placed_at drop default", /column shop\.orders\.placed_at/],
    ["alter table shop.payments alter id drop identity", /sequence shop\.payments_id_seq/],
    ["drop index shop.orders_open_idx", /index shop\.orders_open_idx/],
    [
      "alter table shop.reviews drop constraint reviews_rating_check",
      /constraint shop\.reviews\.reviews_rating_check/,
    ],
    [
      "alter table shop.returns drop constraint returns_order_fkey",
      /constraint shop\.returns\.returns_order_fkey/,
    ],
    ["select setval('shop.orders_id_seq', 1)", /sequence state shop\.orders_id_seq/],
    ["alter type shop.tier add value 'new'", /type shop\.tier/],
    ["comment on table audit.events is 'other'", /table audit\.events/],
    ["alter table shop.customers alter balance type numeric(30, 5)", /column shop\.customers\.balance/],
    ["drop schema audit cascade", /schema audit/],
  ];
  for (const [statement, fact] of losses) {
    const target = await clone();
    await server.query(statement, target);
    const clients = { source: await server.connect(source), target: await server.connect(target) };
    const found = await compareSchemas({ ...clients, schemas: ["shop", "audit"] });
    assert.match(describeSchemaDifferences(found), fact, statement);
    assert.equal(found.equal, statement === "select 1", statement);
    await Promise.all([clients.source.end(), clients.target.end()]);
  }
});

test("the workload commits what it counts and stops between transactions", async () => {
  const name = await server.createDatabase();
  const sizes = await createDemoData(() => server.connect(name), 5000);
  const commits = async (): Promise<number> =>
    Number(
      (await server.query(`select (txid_snapshot_xmax(txid_current_snapshot()))::text as x`, name))[0].x,
    );
  const before = await commits();
  const workload = await Workload.start({
    connect: () => server.connect(name),
    sizes,
    transactionsPerSecond: 0,
  });
  await workload.committed(600);
  const done = await workload.stop();
  assert.ok(done.inserts > 0 && done.updates > 0 && done.deletes > 0, JSON.stringify(done));
  assert.ok((await commits()) - before >= done.commits);
  const open = await server.query(
    `select 1 from pg_stat_activity where datname = '${name}' and state like 'idle in%'`,
  );
  assert.equal(open.length, 0);
  assert.ok(done.refused < done.commits / 5, JSON.stringify(done));
  const [rolledBack] = await server.query(
    "select count(*)::int as n from audit.events where kind in ('never committed', 'rolled back')",
    name,
  );
  assert.equal(rolledBack.n, 0);
});
