import assert from "node:assert/strict";
import { test } from "node:test";
import { armingOf, killsIn } from "../support/kills.ts";
import { drain, NOTED_SCHEMA, notedPairs, reasons, stop } from "../support/noted-schema.ts";
import { serverPair } from "../support/server-pair.ts";
import { schemas, TaskProcess } from "../support/task.ts";

const servers = await serverPair();
const makePair = notedPairs(servers);

const resumed = { start: "resume-processing" } as const;

/** Statements and changes in turn, some of them in one transaction. */
const changes = [
  "insert into app.t values (1001, 'one', 1, 'x'); update app.t set v = 'two' where id = 3",
  "alter table app.t rename v to w",
  "insert into app.t (id, n) values (1002, 2); update app.t set w = 'three', id = id + 5000 where id = 4",
  `begin; insert into app.t values (1003, 'four', 3, 'y'); update app.t set gone = 'z' where id = 5;
   alter table app.t drop column gone; alter table app.t rename n to m; alter table app.t rename w to n;
   alter table app.t add column mood app.mood not null default 'glad', add column late int;
   update app.t set n = 'five', late = id where id < 20; insert into app.t values (1004, 'six', 6, 'sad', null);
   delete from app.t where id = 7; alter table app.t rename m to gone; alter table app.t add column s text default 'so';
   insert into app.t values (1005, 'seven'); commit`,
  "alter table app.t alter gone type bigint, alter late set default 9, alter n drop default",
  "insert into app.t (id, gone) values (1006, 3000000000); update app.t set gone = gone + 3000000000 where id < 10",
  "begin; alter table app.t alter n type varchar(30); update app.t set n = 'eight' where id = 8; commit",
  "update app.t set late = 0 where late is null",
  "alter table app.t alter late set not null",
  "alter table app.t alter mood drop not null; insert into app.t values (1007, null, 1, null, 0)",
  `begin; set local timezone = 'Asia/Tokyo'; alter table app.f alter at type timestamptz; set local timezone = 'UTC';
   alter table app.f alter a set default 1; commit; insert into app.f values (77, 'x', now());
   delete from app.f where a = 3`,
  "alter table app.f alter v type text; update app.f set v = repeat('x', 100) where a = 4; delete from app.f where a = 5",
  `begin; insert into app.parts values (2, 'two', 'c'), (102, 'two', 'd'); alter table app.parts rename v to x;
   alter table app.parts rename w to v; alter table app.parts rename x to w; alter table app.parts add column p int default 8;
   insert into app.parts values (3, 'v', 'w', null), (103, 'v', 'w', 9); update app.parts set v = 'swapped' where id = 1; commit`,
  "alter table app.parts alter p set default 7, alter p type bigint; insert into app.parts (id) values (4), (104)",
  `begin; savepoint s; alter table app.other drop column v, add column v text default 'again'; release s;
   insert into app.other values (2, 'new'), (4, 'new'); commit; update app.other set v = 'last' where id = 1`,
  "alter table app.other rename to another; insert into app.another values (3); delete from app.another where id = 2",
  `begin; insert into app.blue values (2, 'two'); insert into app.green values (2, 4); alter table app.blue rename to old;
   alter table app.green rename to blue; insert into app.blue values (3, 6); insert into app.old values (3, 'three'); commit`,
  `create index t_n on app.t (n); create unique index t_late on app.t (late, id) where late is not null;
   alter table app.t add constraint positive check (id > 0), add constraint lately check (late >= 0) not valid`,
  "alter table app.child add column t int references app.t; insert into app.child values (2, 2, 1001)",
  "alter index app.t_n rename to t_name; alter table app.t validate constraint lately; drop index app.t_late",
  "alter table app.t rename n to title; alter table app.t drop constraint positive; create index t_n on app.t (mood, title)",
  "alter table app.child drop constraint child_t_fkey; alter table app.child add foreign key (t) references app.t on delete cascade",
  "delete from app.child where id = 1",
  "alter table app.child drop constraint child_pkey; alter table app.child add constraint child_key primary key (id, t)",
  "insert into app.child values (2, 2, 1002); delete from app.child where t = 1001; create index on app.low (v)",
  "alter type app.mood add value 'low' before 'sad'",
  "insert into app.t (id, mood, late) values (1010, 'low', 1); update app.t set mood = 'low' where id = 9",
  "alter type app.mood rename value 'glad' to 'happy'; update app.t set mood = 'happy' where mood = 'low' and id = 9",
  "create table app.made (id int primary key, v text); insert into app.made values (1, 'x')",
  "alter table app.made rename v to w; insert into app.made values (2, 'y')",
  "delete from app.old where id = 3; begin; insert into app.old values (4); drop table app.old cascade; commit",
  "create table app.passing (id int primary key); insert into app.passing values (1); drop table app.passing",
];

test("columns are renamed, dropped, added and altered at their place in the stream", async () => {
  const pair = await makePair("noted");
  const task = await pair.replicate();
  for (const sql of changes) await pair.query(sql);
  const outcome = await drain(task);
  assert.deepEqual(reasons(outcome.progress), {});
  await pair.assertEqual();
});

test("a task that was stopped follows them in turn, also when it is killed as soon as a table is altered", async () => {
  const pair = await makePair("noted_later");
  await stop(await pair.replicate());
  for (const sql of changes) await pair.query(sql);
  for (const kill of killsIn("altered")) {
    const killed = new TaskProcess({ ...pair.spec, ...resumed }, armingOf(kill));
    assert.equal((await killed.ended()).signal, "SIGKILL");
  }
  const outcome = await drain(await pair.replicate(resumed));
  assert.deepEqual(reasons(outcome.progress), {});
  await pair.assertEqual();
});

test("what cannot be followed sets the table aside with the reason, and to be loaded again is all that it needs", async () => {
  const names = ["cast", "called", "random", "keyed", "hidden", "small", "filled", "twice", "keyless"];
  const tables = names.map((name) => {
    return `create table app.${name} (id int primary key, v text); insert into app.${name} values (1, '1'), (2, '22')`;
  });
  const pair = await makePair("unfollowed", { schema: [NOTED_SCHEMA, ...tables].join("; ") });
  const task = await pair.replicate();
  await pair.query(`alter table app.cast alter v type int using v::int * 2; create schema elsewhere; alter table app.called set schema elsewhere;
    alter table app.random add column r float default random();
    do $$ begin execute 'alter table app.hidden alter v type varchar(9) using v || ''!'''; end $$`);
  await pair.query(
    "begin; insert into app.keyed values (3, '3'); alter table app.keyed alter id type bigint; commit",
  );
  await pair.query(`begin; update app.small set v = '2' where id = 2; alter table app.small alter v type varchar(1);
    insert into app.other values (2, 'two'); commit`);
  await pair.query(`begin; alter table app.filled add column d int default 5; alter table app.filled alter v type varchar(9); commit;
    begin; alter table app.twice alter v type varchar(9); alter table app.twice alter v type text; commit;
    alter table app.keyless drop constraint keyless_pkey`);
  const outcome = await drain(task);
  const { keyed, small, ...told } = reasons(outcome.progress);
  assert.deepEqual(told, {
    called: "The table is called elsewhere.called now, which the table mappings leave out.",
    cast: "The table has another type in its column v, perhaps by an expression.",
    random: "The table got the column r, and all its rows were written anew.",
    hidden: "The table has another type in its column v, perhaps by an expression.",
    filled: "The table got the column d, and all its rows were written anew.",
    twice: "The table has got another type in its column v more than once in one transaction.",
    keyless: "The table has no key any more by which its rows are found.",
  });
  assert.match(keyed!, /another type in column id/);
  assert.notEqual(small, undefined);
  await pair.query("alter table app.keyless add primary key (id)");
  const again = await pair.replicate(resumed);
  const back = names.filter((name) => name !== "called");
  again.running.reloadTables(back.map((name) => ({ schema: "app", name })));
  await again.until(
    ({ phase, tables }) =>
      phase === "replicating" &&
      tables.filter(({ reloaded, state }) => reloaded && state === "Table completed").length === back.length,
  );
  await pair.query(
    "insert into app.cast values (3, 6); alter table app.cast rename v to w; insert into app.cast values (4)",
  );
  assert.deepEqual(reasons((await drain(again)).progress), {});
  await pair.queryTarget("drop table app.called");
  await pair.assertEqual();
});

test("a column whose rows get their values in the transaction that makes it NOT NULL takes NULLs on the target", async () => {
  const pair = await makePair("nullable");
  const task = await pair.replicate();
  await pair.query(`begin; alter table app.t add column late int; update app.t set late = id;
    alter table app.t alter late set not null; commit; insert into app.t (id, late) values (1001, 5)`);
  const outcome = await drain(task);
  assert.deepEqual(reasons(outcome.progress), {});
  const told = task.findings.filter(({ code }) => code === "target.column_nullable");
  assert.deepEqual(
    told.map(({ subject }) => subject),
    ["app.t"],
  );
  await pair.queryTarget("alter table app.t alter late set not null");
  await pair.assertEqual();
});

test("statements of a long transaction and of others in between are followed in the order of their commits", async () => {
  const pair = await makePair("between");
  const task = await pair.replicate();
  const long = await servers.source.connect(pair.from);
  try {
    await long.query(
      "begin; insert into app.t (id, v) values (1001, 'long'); alter table app.t rename v to w",
    );
    await pair.query(
      "alter table app.other add column n int default 1; insert into app.other values (2, 'x', 2)",
    );
    await task.until(({ tables }) =>
      tables.some(({ id, appliedDdls }) => id.name === "other" && appliedDdls > 0),
    );
    await long.query(
      "insert into app.t (id, w) values (1002, 'long'); insert into app.other values (3, 'y', 3)",
    );
    await long.query("savepoint a; alter table app.t drop column n; rollback to a; commit");
  } finally {
    await long.end();
  }
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.assertEqual();
});

test("what follows the source goes by the names that the table mappings give", async () => {
  const { rules } = JSON.parse(schemas("app")) as { readonly rules: readonly object[] };
  const renaming = {
    ...{ "rule-type": "transformation", "rule-id": "9", "rule-name": "moved", "rule-target": "schema" },
    ...{ "object-locator": { "schema-name": "app" }, "rule-action": "rename", value: "moved" },
  };
  const pair = await makePair("mapped", { tableMappings: JSON.stringify({ rules: [...rules, renaming] }) });
  const task = await pair.replicate();
  await pair.query(`alter type app.mood add value 'calm' after 'sad'`);
  await pair.query(`create type app.size as enum ('small', 'large');
    alter table app.other rename to another; alter table app.another add column size app.size default 'small';
    alter table app.another add column mood app.mood;
    alter table app.another add column t int references app.t; create index sized on app.another (size)`);
  await pair.query(
    "insert into app.another values (2, 'two', 'large', 'calm', 7); alter table app.another alter size drop default",
  );
  await pair.query("drop table app.child; insert into app.t (id, v) values (1001, 'x')");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  assert.deepEqual(await pair.queryTarget("select * from moved.another order by id"), [
    { id: 1, v: "one", size: "small", mood: null, t: null },
    { id: 2, v: "two", size: "large", mood: "calm", t: 7 },
  ]);
  const made =
    await pair.queryTarget(`select conname as name from pg_constraint where conrelid = 'moved.another'::regclass
    and contype <> 'n' union all select indexrelid::regclass::text from pg_index where indrelid = 'moved.another'::regclass
    union all select coalesce(to_regclass('moved.child')::text, 'no child') union all
    select string_agg(enumlabel, ' ' order by enumsortorder) from pg_enum where enumtypid = 'moved.mood'::regtype`);
  assert.deepEqual(made.map(({ name }) => name).toSorted(), [
    ...["another_t_fkey", "moved.other_pkey", "moved.sized", "no child", "other_pkey", "sad calm glad"],
  ]);
});

test("what is done to one partition alone, or to one that was detached, is not done to the others", async () => {
  const pair = await makePair("apart");
  const task = await pair.replicate();
  await pair.query("alter table app.low alter v set default 'low', alter v set not null");
  await pair.query(`alter table app.parts detach partition app.low; alter table app.low add column own int;
    insert into app.low values (2, 'two', 'b', 5); insert into app.parts values (101, null, 'c')`);
  assert.deepEqual(reasons((await drain(task)).progress), {
    low: "The table was altered by itself, and the target's is a partition of one that was not.",
  });
  const columns = `select concat_ws(' ', table_name, column_name, is_nullable, column_default) as told from information_schema.columns
    where table_schema = 'app' and table_name in ('parts', 'low', 'high') and column_name in ('v', 'own') order by 1`;
  const told = (await pair.queryTarget(columns)).map((row) => row["told"]);
  assert.deepEqual(told, ["high v YES", "low v NO 'low'::text", "parts v YES"]);
  const rows = "select * from app.high order by id";
  assert.deepEqual(await pair.queryTarget(rows), await pair.query(rows));
});
