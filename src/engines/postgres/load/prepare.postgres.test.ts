import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { failure, onTarget, planAndTarget, prepareOne } from "../../../../test/support/engine-target.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { buildAll, createAll, type Target } from "../../../../test/support/schema-plan.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { MigrationError } from "../../../core/error.ts";
import type { MigrationPlan } from "../../../core/plan.ts";

const server = await serverOfFile(startPostgres());

test("do-nothing keeps a table and its rows, and creates the ones that are missing", async () => {
  const { plan, target } = await planAndTarget(
    server,
    `create table parent (id integer primary key, name text not null);
     create table child (id integer primary key, parent integer references parent on delete cascade);
     create table empty (a integer)`,
  );
  await server.query(
    `create table parent (extra text default 'x', name text, id bigint); create table empty (a integer);
     insert into parent (id) values (7)`,
    target.database,
  );
  await onTarget(target, async (engine) => {
    const ids = plan.tables.map((one) => one.target.id);
    const present = await engine.existingTables(ids, unaborted);
    assert.deepEqual(present.map(({ name }) => name).toSorted(), ["empty", "parent"]);
  });
  assert.deepEqual(await prepareOne(target, plan, "do-nothing", "parent"), { keepsRows: true });
  assert.deepEqual(await prepareOne(target, plan, "do-nothing", "empty"), { keepsRows: false });
  assert.deepEqual(await prepareOne(target, plan, "do-nothing", "child"), { keepsRows: false });
  assert.deepEqual(await server.query("select id from parent", target.database), [{ id: "7" }]);
  assert.deepEqual(await server.query("select * from child", target.database), []);
});

test("a kept table that cannot take the rows is a mismatch that names the columns", async () => {
  const { plan, target } = await planAndTarget(
    server,
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

test("a table is not dropped when a view or a foreign key from outside needs it", async () => {
  const { plan, target } = await planAndTarget(server, "create table parent (id integer primary key)");
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
  const { plan, target } = await planAndTarget(
    server,
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
  const { plan, target } = await planAndTarget(
    server,
    `create type mood as enum ('a', 'b'); create domain small as integer constraint ok check (value < 10);
     create table t (m mood, s small)`,
  );
  const prepared = () =>
    onTarget(target, (engine) => engine.prepareSchema({ plan, replace: false }, unaborted));
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
  await onTarget(target, (engine) =>
    engine.prepareSchema({ plan: otherSpelling, replace: false }, unaborted),
  );
  await server.query(
    "drop domain small; create domain small integer constraint ok check (value < 11)",
    target.database,
  );
  await assert.rejects(prepared(), failure("target.object_conflict", /public\.small .*domain/));
});

test("names mean the table's own schema, whatever the target has elsewhere", async () => {
  const { plan, target } = await planAndTarget(
    server,
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
  const { plan, target } = await planAndTarget(
    server,
    "create extension citext; create table t (a citext default 'x'::citext); create index on t (a) where a = 'Y'",
    { schema: () => "renamed" },
  );
  await server.query("create extension citext", target.database);
  await createAll(target, plan, "drop-and-create");
  await server.query("insert into renamed.t values ('Y')", target.database);
  assert.equal((await server.query("select from renamed.t where a = 'y'", target.database)).length, 1);
});

test("an existing schema is enough: no privilege to create schemas is needed", async () => {
  const { plan, target } = await planAndTarget(server, "create schema app; create table app.t (id serial)");
  await server.query(`create role guest login password '${server.password}'`);
  await server.query("create schema app authorization guest", target.database);
  const prepare = () =>
    onTarget(target, (engine) => engine.prepareSchema({ plan, replace: false }, unaborted), "guest");
  await prepare();
  await prepareOne(target, plan, "drop-and-create", "t", "guest");
  await server.query("drop schema app cascade", target.database);
  await assert.rejects(prepare(), failure("target.privilege", /privilege/));
});

test("a default that the target cannot have is the table's error and names what is missing", async () => {
  const { plan, target } = await planAndTarget(
    server,
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
  const { plan, target } = await planAndTarget(
    server,
    `create type mood as enum ('a');
     ${names.map((name) => `create table ${name} (id serial primary key, peer integer, m mood);`).join("")}
     ${names.map((name, i) => `alter table ${name} add foreign key (peer) references ${names[(i + 1) % 12]};`).join("")}
     ${names.map((name, i) => `alter table ${name} alter peer set default nextval('${names[(i + 5) % 12]}_id_seq');`).join("")}`,
  );
  await onTarget(target, async (engine) => {
    for (let round = 0; round < 2; round++) {
      const eight = Array.from({ length: 8 });
      await Promise.all(eight.map(() => engine.prepareSchema({ plan, replace: false }, unaborted)));
      const waiting = [...plan.tables];
      await Promise.all(
        eight.map(async () => {
          for (let table = waiting.pop(); table !== undefined; table = waiting.pop()) {
            await engine.prepareTables(
              [{ migration: plan, plan: table, mode: "drop-and-create" }],
              unaborted,
            );
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

test("tables whose rows are a type of others' columns are made before them and dropped after them", async () => {
  const users = Array.from({ length: 210 }, (_, i) => `u${i}`);
  const { plan, target } = await planAndTarget(
    server,
    `create schema a; create schema b; create table b.t (id integer); create table a.z (one b.t, many b.t[]);
     create table a.holds (one a.z); create table b.holds (one a.z, a b.t); create table a.alone (id integer);
     ${users.map((name) => `create table a.${name} (one a.z)`).join(";\n")}`,
  );
  // A view in the way of one table: those beside it are prepared one by one.
  await server.query(
    "create schema a; create table a.alone (id integer); create view a.v as select id from a.alone",
    target.database,
  );
  for (const round of [1, 2]) {
    const outcomes = await outcomesOf(plan, target);
    assert.deepEqual(
      plan.tables.flatMap(({ target: { id } }, i) => (outcomes[i] === false ? [] : [id.name, outcomes[i]])),
      ["alone", "target.table_in_use"],
    );
    assert.deepEqual(await server.query("select * from a.holds, b.holds, a.u209", target.database), []);
    const value = `row(row(${round}), array[row(1)::b.t])::a.z`;
    const rows = ["a.holds", "b.holds", "a.u209"].map((name) => `insert into ${name} values (${value})`);
    await server.query(rows.join(";\n"), target.database);
  }
});

/** Of all tables that are dropped and made anew at once: whether rows stay, or an error's code. */
async function outcomesOf(plan: MigrationPlan, target: Target): Promise<(boolean | string)[]> {
  const outcomes = await onTarget(target, async (engine) => {
    await engine.prepareSchema({ plan, replace: false }, unaborted);
    const requests = plan.tables.map((table) => {
      return { migration: plan, plan: table, mode: "drop-and-create" as const };
    });
    return await engine.prepareTables(requests, unaborted);
  });
  return outcomes.map((outcome) => (outcome instanceof MigrationError ? outcome.code : outcome.keepsRows));
}

test("tables are prepared together, and one that cannot be leaves the others as if it were not there", async () => {
  const { plan, target } = await planAndTarget(
    server,
    `create table a (id integer primary key); create table b (id serial primary key, note text);
     create table c (id bigint generated always as identity); create table d (id integer)`,
  );
  // A view in the way of one of them fails whatever is done with it in one transaction.
  await server.query("create table c (id integer); create view v as select id from c", target.database);
  assert.deepEqual(await outcomesOf(plan, target), [false, false, "target.table_in_use", false]);
  const there = await server.query(
    "select relname from pg_class where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace order by 1",
    target.database,
  );
  assert.deepEqual(
    there.map(({ relname }) => relname),
    ["a", "b", "c", "d", "v"],
  );
});
