import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unwrap } from "../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../test/support/postgres-server.ts";
import {
  buildAll,
  connectTo,
  createAll,
  planFor,
  prepareAll,
  type Renaming,
  type Target,
} from "../../../test/support/schema-plan.ts";
import { MigrationError } from "../../core/error.ts";
import type { MigrationPlan } from "../../core/plan.ts";
import type { PrepareMode } from "../../core/target.ts";
import { describe, listTables } from "./catalog.ts";
import { PostgresTarget } from "./target.ts";

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
});

after(() => server[Symbol.asyncDispose]());

/** A plan for all tables of a database made by `sql`, and an empty database to carry it out in. */
async function planOf(sql: string, renaming?: Renaming): Promise<{ plan: MigrationPlan; target: Target }> {
  const source = await server.createDatabase("source");
  await server.query(sql, source);
  const client = await connectTo(server, source);
  try {
    const plan = planFor(await describe(client, await listTables(client)), renaming);
    return { plan, target: { server, database: await server.createDatabase("target") } };
  } finally {
    await client.end();
  }
}

const { signal } = new AbortController();

/** The engine's target, as the given user. */
async function onTarget<Result>(
  { server: { password }, database }: Target,
  work: (target: PostgresTarget) => Promise<Result>,
  username = "postgres",
): Promise<Result> {
  await using target = new PostgresTarget({ ...endpointOf(server, database), username, password });
  return await work(target);
}

function prepareOne(target: Target, plan: MigrationPlan, mode: PrepareMode, name: string, username?: string) {
  const table = plan.tables.find(({ target: { id } }) => id.name === name)!;
  const request = { migration: plan, plan: table, mode };
  return onTarget(
    target,
    async (engine) => unwrap((await engine.prepareTables([request], signal))[0]!),
    username,
  );
}

async function createUser(name: string): Promise<void> {
  await server.query(`create role ${name} login password '${server.password}'`);
}

function failure(code: string, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof MigrationError, String(error));
    assert.equal(error.code, code);
    assert.match(`${error.subject} ${error.message} ${error.remedy}`, words);
    return true;
  };
}

const PARENT_AND_CHILD = `
  create table parent (id integer primary key, name text not null);
  create table child (id integer primary key, parent integer references parent on delete cascade);`;

test("do-nothing keeps a table and its rows, and creates the ones that are missing", async () => {
  const { plan, target } = await planOf(`${PARENT_AND_CHILD} create table empty (a integer)`);
  await server.query(
    `create table parent (extra text default 'x', name text, id bigint); create table empty (a integer);
     insert into parent (id) values (7)`,
    target.database,
  );
  await onTarget(target, async (engine) => {
    const present = await engine.existingTables(plan, signal);
    assert.deepEqual(present.map(({ name }) => name).toSorted(), ["empty", "parent"]);
  });
  assert.deepEqual(await prepareOne(target, plan, "do-nothing", "parent"), { keepsRows: true });
  assert.deepEqual(await prepareOne(target, plan, "do-nothing", "empty"), { keepsRows: false });
  assert.deepEqual(await prepareOne(target, plan, "do-nothing", "child"), { keepsRows: false });
  assert.deepEqual(await server.query("select id from parent", target.database), [{ id: "7" }]);
  assert.deepEqual(await server.query("select * from child", target.database), []);
});

test("a kept table that cannot take the rows is a mismatch that names the columns", async () => {
  const { plan, target } = await planOf(
    `create table lacks (a integer, "B c" integer, sum integer generated always as (a) stored);
     create table computes (a integer, b integer); create table demands (a integer); create table viewed (a integer)`,
  );
  await server.query(
    `create table lacks (a integer);
     create table computes (a integer, b integer generated always as (a) stored);
     create table demands (a integer, free integer, filled text not null default '', needed text not null);
     create view viewed as select 1 as a`,
    target.database,
  );
  for (const mode of ["do-nothing", "truncate"] as const) {
    const prepared = (name: string) => prepareOne(target, plan, mode, name);
    await assert.rejects(prepared("lacks"), failure("target.table_mismatch", /lacks the columns B c\./));
    await assert.rejects(prepared("computes"), failure("target.table_mismatch", /computes the columns b /));
    await assert.rejects(prepared("demands"), failure("target.table_mismatch", /values for needed,/));
    await assert.rejects(prepared("viewed"), failure("target.table_mismatch", /not a table/));
  }
  await assert.rejects(
    prepareOne(target, plan, "drop-and-create", "viewed"),
    failure("target.table_mismatch", /not a table/),
  );
});

test("truncate empties a table that others of the task refer to and deletes nothing of theirs", async () => {
  const { plan, target } = await planOf(PARENT_AND_CHILD);
  await createAll(target, plan, "drop-and-create");
  await server.query("insert into parent values (1, 'a'); insert into child values (1, 1)", target.database);
  await prepareOne(target, plan, "truncate", "parent");
  assert.deepEqual(await server.query("select * from parent", target.database), []);
  assert.equal((await server.query("select * from child", target.database)).length, 1);
  await prepareOne(target, plan, "truncate", "child");
  assert.deepEqual(await server.query("select * from child", target.database), []);
});

test("rows that a table outside the task refers to are not deleted", async () => {
  const { plan, target } = await planOf("create table parent (id integer primary key)");
  await createAll(target, plan, "drop-and-create");
  await server.query(
    `create table outside (id integer references parent on delete cascade);
     insert into parent values (1)`,
    target.database,
  );
  await prepareOne(target, plan, "truncate", "parent");
  assert.deepEqual(await server.query("select * from parent", target.database), []);
  await server.query("insert into parent values (1); insert into outside values (1)", target.database);
  await assert.rejects(
    prepareOne(target, plan, "truncate", "parent"),
    failure("target.table_in_use", /public\.outside \(outside_id_fkey\)/),
  );
  assert.equal((await server.query("select * from parent", target.database)).length, 1);
  assert.equal((await server.query("select * from outside", target.database)).length, 1);
});

test("a user who may not turn triggers off never deletes by cascade", async () => {
  const { plan, target } = await planOf(PARENT_AND_CHILD);
  const { database } = target;
  await createUser("plain");
  await server.query(
    `alter database ${database} owner to plain; alter schema public owner to plain; set role plain;
     ${PARENT_AND_CHILD} insert into parent values (1, 'a'); insert into child values (1, 1)`,
    database,
  );
  const truncate = (name: string) => prepareOne(target, plan, "truncate", name, "plain");
  await assert.rejects(
    truncate("parent"),
    failure("target.table_in_use", /would change other tables: public\.child/),
  );
  await server.query(
    `alter table child drop constraint child_parent_fkey, add foreign key (parent) references parent`,
    database,
  );
  await assert.rejects(truncate("parent"), failure("target.table_in_use", /public\.child/));
  assert.equal((await server.query("select * from child, parent", database)).length, 1);
  await truncate("child");
  await truncate("parent");
  assert.equal((await server.query("select * from parent", database)).length, 0);
});

test("emptyTable empties a table in the middle of foreign keys and says when it is not there", async () => {
  const { plan, target } = await planOf(PARENT_AND_CHILD);
  await createAll(target, plan, "drop-and-create");
  await server.query("insert into parent values (1, 'a'); insert into child values (1, 1)", target.database);
  const [, parent] = plan.tables;
  await onTarget(target, (engine) => engine.emptyTable(parent!, signal));
  assert.deepEqual(await server.query("select * from parent", target.database), []);
  assert.equal((await server.query("select * from child", target.database)).length, 1);
  await server.query("drop table parent cascade", target.database);
  await assert.rejects(
    onTarget(target, (engine) => engine.emptyTable(parent!, signal)),
    failure("target.table_mismatch", /not there/),
  );
});

test("a table is not dropped when a view or a foreign key from outside needs it", async () => {
  const { plan, target } = await planOf("create table parent (id integer primary key)");
  await server.query(
    `create table parent (id integer primary key); insert into parent values (1);
     create schema "Out side"; create view "Out side"."A view" as select id from parent`,
    target.database,
  );
  const drop = () => prepareOne(target, plan, "drop-and-create", "parent");
  await assert.rejects(drop(), failure("target.table_in_use", /"Out side"\."A view"/));
  await server.query(
    'drop view "Out side"."A view"; create table "Out side".t (id integer references parent)',
    target.database,
  );
  await assert.rejects(drop(), failure("target.table_in_use", /Out side\.t \(t_id_fkey\)/));
  assert.equal((await server.query("select * from parent", target.database)).length, 1);
  await server.query('drop table "Out side".t', target.database);
  assert.deepEqual(await drop(), { keepsRows: false });
  assert.equal((await server.query("select * from parent", target.database)).length, 0);
});

test("a dropped table's sequence is there again, with the source's definition", async () => {
  const { plan, target } = await planOf(
    `create table t (id serial primary key);
     alter sequence t_id_seq increment by 7 start with 3;
     create table borrows (id integer default nextval('t_id_seq'))`,
  );
  await server.query(
    `create table t (id bigserial primary key); insert into t default values;
     create table borrows (id integer default nextval('t_id_seq'))`,
    target.database,
  );
  await createAll(target, plan, "drop-and-create");
  assert.deepEqual(
    await server.query(
      "insert into t default values; insert into borrows default values returning id",
      target.database,
    ),
    [{ id: 10 }],
  );
  assert.deepEqual(await server.query("select pg_get_serial_sequence('t', 'id') as name", target.database), [
    { name: "public.t_id_seq" },
  ]);
});

test("types that are there must be the same, however they are written", async () => {
  const { plan, target } = await planOf(
    `create type mood as enum ('a', 'b'); create domain small as integer constraint ok check (value < 10);
     create table t (m mood, s small)`,
  );
  const prepared = () => onTarget(target, (engine) => engine.prepareSchema({ plan, replace: false }, signal));
  await server.query(
    "create domain small integer constraint ok check (value < 10); create type mood as enum ('b', 'a')",
    target.database,
  );
  await assert.rejects(prepared(), failure("target.object_conflict", /public\.mood .*enum/));
  await server.query("drop type mood; create type mood as (a integer)", target.database);
  await assert.rejects(prepared(), failure("target.object_conflict", /public\.mood/));
  await server.query("drop type mood; create type mood as enum ('a', 'b')", target.database);
  await prepared();
  const otherSpelling = {
    ...plan,
    target: {
      ...plan.target,
      types: plan.target.types.map((type) =>
        type.kind === "domain" ? { ...type, native: "int4 constraint ok check (((value) < (10)))" } : type,
      ),
    },
  };
  await onTarget(target, (engine) => engine.prepareSchema({ plan: otherSpelling, replace: false }, signal));
  await server.query(
    "drop domain small; create domain small integer constraint ok check (value < 11)",
    target.database,
  );
  await assert.rejects(prepared(), failure("target.object_conflict", /public\.small .*domain/));
});

test("names mean the table's own schema, whatever the target has elsewhere", async () => {
  const { plan, target } = await planOf(
    `create schema app; set search_path = app; create type mood as enum ('right');
     create sequence ids start with 40; create table t (id integer default nextval('ids'), m mood default 'right')`,
  );
  await server.query(
    `create type mood as enum ('wrong'); create sequence ids; create schema app;
     create function nextval(text) returns bigint language sql as 'select 1::bigint'`,
    target.database,
  );
  await createAll(target, plan, "drop-and-create");
  assert.deepEqual(await server.query("insert into app.t default values returning *", target.database), [
    { id: 40, m: "right" },
  ]);
});

test("types of an extension are found after the schema it shared with the tables is renamed", async () => {
  const { plan, target } = await planOf(
    "create extension citext; create table t (a citext default 'x'::citext); create index on t (a) where a = 'Y'",
    { schema: () => "renamed" },
  );
  await server.query("create extension citext", target.database);
  await createAll(target, plan, "drop-and-create");
  await server.query("insert into renamed.t values ('Y')", target.database);
  assert.equal((await server.query("select from renamed.t where a = 'y'", target.database)).length, 1);
});

test("an existing schema is enough: no privilege to create schemas is needed", async () => {
  const { plan, target } = await planOf("create schema app; create table app.t (id serial)");
  await createUser("guest");
  await server.query("create schema app authorization guest", target.database);
  const prepare = () =>
    onTarget(target, (engine) => engine.prepareSchema({ plan, replace: false }, signal), "guest");
  await prepare();
  await prepareOne(target, plan, "drop-and-create", "t", "guest");
  await server.query("drop schema app cascade", target.database);
  await assert.rejects(prepare(), failure("target.privilege", /privilege/));
});

test("a default that the target cannot have is the table's error and names what is missing", async () => {
  const { plan, target } = await planOf(
    `create function mine() returns integer language sql as 'select 1';
     create table t (a integer default mine()); create table ok (a integer)`,
  );
  await assert.rejects(
    prepareOne(target, plan, "drop-and-create", "t"),
    failure("target.object_failed", /function mine\(\) does not exist/),
  );
  await prepareOne(target, plan, "drop-and-create", "ok");
});

test("eight at a time neither deadlock nor race", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `t${i}`);
  const { plan, target } = await planOf(
    `create type mood as enum ('a');
     ${names.map((name) => `create table ${name} (id serial primary key, peer integer, m mood);`).join("")}
     ${names.map((name, i) => `alter table ${name} add foreign key (peer) references ${names[(i + 1) % 12]};`).join("")}
     ${names.map((name, i) => `alter table ${name} alter peer set default nextval('${names[(i + 5) % 12]}_id_seq');`).join("")}`,
  );
  await onTarget(target, async (engine) => {
    for (let round = 0; round < 2; round++) {
      const eight = Array.from({ length: 8 });
      await Promise.all(eight.map(() => engine.prepareSchema({ plan, replace: false }, signal)));
      const waiting = [...plan.tables];
      await Promise.all(
        eight.map(async () => {
          for (let table = waiting.pop(); table !== undefined; table = waiting.pop()) {
            await engine.prepareTables([{ migration: plan, plan: table, mode: "drop-and-create" }], signal);
          }
        }),
      );
      await buildAll(target, plan);
    }
  });
  const [counts] = await server.query(
    `select count(*) filter (where contype = 'f') as keys, count(*) filter (where contype = 'p') as tables
     from pg_constraint where connamespace = 'public'::regnamespace`,
    target.database,
  );
  assert.deepEqual(counts, { keys: "12", tables: "12" });
});

test("truncating one table leaves the rows of the others alone", async () => {
  const { plan, target } = await planOf("create table a (x integer); create table b (x integer)");
  await prepareAll(target, plan, "do-nothing");
  await server.query("insert into a values (1); insert into b values (1)", target.database);
  await prepareOne(target, plan, "truncate", "a");
  assert.equal((await server.query("select from b", target.database)).length, 1);
});

test("tables are prepared together, and one that cannot be leaves the others as if it were not there", async () => {
  const { plan, target } = await planOf(
    `create table a (id integer primary key); create table b (id serial primary key, note text);
     create table c (id bigint generated always as identity); create table d (id integer)`,
  );
  // A view in the way of one of them fails whatever is done with it in one transaction.
  await server.query("create table c (id integer); create view v as select id from c", target.database);
  const outcomes = await onTarget(target, async (engine) => {
    await engine.prepareSchema({ plan, replace: false }, signal);
    const requests = plan.tables.map((table) => {
      return { migration: plan, plan: table, mode: "drop-and-create" as const };
    });
    return await engine.prepareTables(requests, signal);
  });
  const told = outcomes.map((outcome) =>
    outcome instanceof MigrationError ? outcome.code : outcome.keepsRows,
  );
  assert.deepEqual(told, [false, false, "target.table_in_use", false]);
  const there = await server.query(
    "select relname from pg_class where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace order by 1",
    target.database,
  );
  assert.deepEqual(
    there.map(({ relname }) => relname),
    ["a", "b", "c", "d", "v"],
  );
});
