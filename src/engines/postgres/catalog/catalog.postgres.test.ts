import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { nastySchema } from "../../../../test/support/nasty-schema.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import {
  buildAll,
  comparable,
  connectTo,
  createAll,
  planFor,
  prepareAll,
  type Renaming,
  rename,
} from "../../../../test/support/schema-plan.ts";
import type { Catalog, TableId } from "../../../core/schema.ts";
import { describe, listTables } from "./catalog.ts";
import { checkShapes } from "./table-shape.ts";

const servers = new Map<number, PostgresServer>();

before(async () => {
  for (const version of [12, 15, 18]) servers.set(version, await startPostgres({ version }));
});

after(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});

interface Database {
  readonly server: PostgresServer;
  readonly database: string;
}

async function nastyDatabase(version: number): Promise<Database> {
  const server = servers.get(version)!;
  const database = await server.createDatabase("nasty");
  await server.query(nastySchema(version), database);
  return { server, database };
}

async function emptyDatabase(version: number): Promise<Database> {
  const server = servers.get(version)!;
  const database = await server.createDatabase("target");
  return { server, database };
}

async function describeAll(database: Database): Promise<Catalog> {
  return describeTables(database, () => true);
}

async function describeTables(
  { server, database }: Database,
  isWanted: (id: TableId) => boolean,
): Promise<Catalog> {
  const client = await connectTo(server, database);
  try {
    return await describe(client, (await listTables(client)).filter(isWanted));
  } finally {
    await client.end();
  }
}

const COMPOSITE = "(a integer, b text)";

for (const [from, to] of [
  [12, 12],
  [15, 15],
  [18, 18],
  [12, 18],
] as const) {
  test(`a hard schema comes out of PostgreSQL ${to} as it went out of ${from}`, async () => {
    const source = await nastyDatabase(from);
    const target = await emptyDatabase(to);
    // Composite types and extensions are not migrated, and a schema that is there keeps its comment.
    await target.server.query(
      `create schema "Shop ""1"""; comment on schema "Shop ""1""" is 'it''s a \\ shop';
       create type "Shop ""1""".pair as ${COMPOSITE};
       ${from === 18 ? "create extension btree_gist" : ""}`,
      target.database,
    );
    const catalog = await describeAll(source);
    await createAll(target, planFor(catalog), "drop-and-create");
    assert.deepEqual(comparable(await describeAll(target)), comparable(catalog));
    // Once more over what is there, as a reload does.
    await createAll(target, planFor(catalog), "drop-and-create");
    assert.deepEqual(comparable(await describeAll(target)), comparable(catalog));
    await buildAll(target, planFor(catalog));
    assert.deepEqual(comparable(await describeAll(target)), comparable(catalog));
  });
}

test("a schema and a table get other names without a change to any native text", async () => {
  const renaming: Renaming = {
    schema: (name) => (name === 'Shop "1"' ? 'new " schema' : name),
    table: (name) => (name === "Order" ? 'Bestellung "ä"' : name),
  };
  const source = await nastyDatabase(18);
  const target = await emptyDatabase(18);
  await target.server.query(
    `create schema "new "" schema"; create type "new "" schema".pair as ${COMPOSITE};
     comment on schema "new "" schema" is 'it''s a \\ shop'; create extension btree_gist`,
    target.database,
  );
  const catalog = await describeTables(source, ({ schema }) => schema === 'Shop "1"');
  await createAll(target, planFor(catalog, renaming), "drop-and-create");
  assert.deepEqual(comparable(await describeAll(target)), comparable(rename(catalog, renaming)));
});

for (const version of [12, 15, 18]) {
  test(`of many tables of PostgreSQL ${version} only those are told that are not what they were`, async () => {
    const source = await nastyDatabase(version);
    await source.server.query(
      "create table a (id int primary key, v text); create table b (v int); create table c (v int)",
      source.database,
    );
    const { tables } = await describeAll(source);
    const client = await connectTo(source.server, source.database);
    try {
      assert.deepEqual(await checkShapes(client, tables), []);
      await client.query("truncate a; alter table b alter v set not null");
      assert.deepEqual(
        (await checkShapes(client, tables)).map(({ id }) => id.name),
        ["a", "b"],
      );
      for (const [name, change, message] of [
        ["a", "alter table a add w int", /got the column w/],
        ["b", "alter table b rename to d", /is called public\.d now/],
        ["c", "drop table c", /was dropped/],
      ] as const) {
        await client.query(change);
        const one = tables.filter(({ id }) => id.name === name);
        await assert.rejects(checkShapes(client, one), { code: "source.table_changed", message });
      }
    } finally {
      await client.end();
    }
  });
}

test("two thousand tables are described and prepared in a few seconds", async (context) => {
  const server = servers.get(18)!;
  const source = { server, database: await server.createDatabase("many") };
  const target = { server, database: await server.createDatabase("many_target") };
  await server.query(
    `do $$ begin for i in 1 .. 2000 loop
       execute format('create table t%s (id bigserial primary key, a text not null default %L, b numeric(10, 2))', i, 'x');
       if i % 100 = 0 then commit; end if;
     end loop; end $$`,
    source.database,
  );
  const columns = Array.from({ length: 1000 }, (_, i) => `c${i} integer default ${i}`);
  await server.query(`create table wide (${columns.join(", ")})`, source.database);
  const began = performance.now();
  const catalog = await describeAll(source);
  const described = performance.now();
  assert.equal(catalog.tables.length, 2001);
  assert.equal(catalog.tables.find(({ id }) => id.name === "wide")?.columns.length, 1000);
  await prepareAll(target, planFor(catalog), "drop-and-create");
  const prepared = performance.now();
  context.diagnostic(
    `described in ${Math.round(described - began)} ms, prepared in ${Math.round(prepared - described)} ms`,
  );
  // Ten times what a busy machine takes, and a fraction of what anything that grows with the square would.
  assert.ok(described - began < 60_000, "describe");
  assert.ok(prepared - described < 180_000, "prepare");
  assert.equal((await describeAll(target)).sequences.length, 2000);
});
