import assert from "node:assert/strict";
import { test } from "node:test";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";

/* What settings of the endpoints make of values that come from PostgreSQL to MySQL and MariaDB, loaded and changed. */

const flavours = ["mariadb", "mysql"] as const;
const servers = {
  mariadb: await postgresToMysql({ flavour: "mariadb" }),
  mysql: await postgresToMysql({ flavour: "mysql" }),
};

const typed = `create schema app;
  create table app.flags (
    yes boolean, word character(5), wide character(300), no boolean not null default true, doc jsonb, primary key (yes, word, wide));
  insert into app.flags values (true, 'a', 'x', false, '{"n": 123456789012345678901234567890.5}'), (false, 'b', 'y', true, null)`;
const typedChanges = `insert into app.flags values (true, 'c', 'z', true, '[1]'), (true, 'd', 'z', true, '[2]');
  update app.flags set no = not no where word = 'a'; update app.flags set yes = true, wide = 'yy' where word = 'b';
  delete from app.flags where word = 'd'`;
/** What they look like, with the ends of the texts. */
const typedRows = `select concat('<', yes, '>') as yes, concat('<', word, '>') as word,
    concat('<', trim(trailing from wide), '>', char_length(wide)) as wide, no, doc from flags order by word`;

/** Of each kind of number and date: what is in range, and what is not, in nullable columns and in keys. */
const ranged = `create schema app;
  create table app.edge (id int primary key, r real, d double precision, n numeric(10,2), day date, at timestamp(3), zoned timestamptz);
  insert into app.edge values (1, 'NaN', '-Infinity', 'NaN', 'infinity', '-infinity', 'infinity'),
    (2, 1.5, 2.5, 3.25, '2024-02-29', '2024-02-29 12:00:00.125', '2024-02-29 12:00:00+02'),
    (3, null, 'Infinity', 0, '0044-03-15 BC', '10000-01-01', '0044-03-15 00:00:00+00 BC');
  create table app.until (at timestamptz, n int, primary key (at, n));
  insert into app.until values ('infinity', 1), ('infinity', 2), ('2024-01-01 00:00:00+00', 1);
  create table app.loose (d double precision, day date);
  alter table app.loose replica identity full;
  insert into app.loose values ('NaN', 'infinity'), ('NaN', 'infinity'), (1, '2024-01-01');
  create table app.plain (id int primary key, n int);
  insert into app.plain values (1, 1);
  create table app.strict (id int primary key, d double precision not null);
  insert into app.strict values (1, 'NaN')`;
const rangedChanges = `insert into app.edge select id + 10, r, d, n, day, at, zoned from app.edge;
  update app.edge set r = 'Infinity', at = 'infinity' where id = 2;
  update app.edge set day = '2000-01-01' where id = 3;
  update app.until set n = 3 where n = 2; update app.until set at = '-infinity' where n = 1 and at < 'infinity';
  delete from app.until where at = 'infinity' and n = 1;
  delete from app.loose where ctid = (select min(ctid) from app.loose);
  update app.loose set day = '10000-12-31' where d = 1; insert into app.plain values (2, 2)`;
/** Stored generated columns that only the source can compute, beside those that both can. */
const computed = `create schema app;
  create table app.halves (id int primary key, n int, half int generated always as (n / (id + 1)) stored not null,
    twice int generated always as (n * 2) stored, label text generated always as (upper('n' || n::text)) stored);
  create unique index on app.halves (label);
  create table app.whole (a int, b int, mean numeric(10,3) generated always as ((a + b) / 2.0) stored);
  alter table app.whole replica identity full;
  create table app.both (id int primary key, twice int generated always as (id * 2) stored, v text);
  insert into app.halves (id, n) select i, i * 3 from generate_series(1, 20) i;
  insert into app.whole values (1, 2), (1, 2), (3, 4), (null, 1);
  insert into app.both (id, v) values (1, 'a'), (2, 'b')`;
const computedChanges = `insert into app.halves (id, n) select i, i * 5 from generate_series(21, 30) i;
  update app.halves set n = n + 1000 where id % 2 = 0; update app.halves set id = id + 100 where id > 25;
  delete from app.halves where id < 4; delete from app.whole where ctid = (select min(ctid) from app.whole);
  update app.whole set b = 7 where a = 3; insert into app.whole values (9, 9);
  update app.both set id = 3 where id = 2; insert into app.both (id, v) values (4, 'd'); delete from app.both where id = 1`;
const [first, last] = ["0001-01-01", "9999-12-31"];
const limits = { low: `${first} 00:00:00`, high: `${last} 23:59:59` };

for (const flavour of flavours) {
  test(`booleans, JSON and padded characters are as the source's endpoint says: ${flavour}`, async () => {
    const endpointSettings = {
      source: { MapBooleanAsBoolean: false, MapJsonbAsClob: true, TrimSpaceInChar: false },
    };
    const pair = await ToMysqlPair.make(servers[flavour], { sql: typed, schemas: ["app"], endpointSettings });
    try {
      const task = await pair.replicate();
      await pair.query(typedChanges);
      await pair.drain(task);
      assert.deepEqual(await pair.queryTarget(typedRows, "app"), [
        {
          yes: "<true>",
          word: "<a    >",
          wide: "<x>300",
          no: "true",
          doc: '{"n": 123456789012345678901234567890.5}',
        },
        { yes: "<true>", word: "<b    >", wide: "<yy>300", no: "true", doc: null },
        { yes: "<true>", word: "<c    >", wide: "<z>300", no: "true", doc: "[1]" },
      ]);
      const [{ kept }] = (await pair.queryTarget(
        "insert into flags (yes, word, wide) values ('x', 'x', 'x'); select no as kept from flags where yes = 'x'",
        "app",
      )) as [{ kept: string }];
      assert.equal(kept, "true");
    } finally {
      await pair.end();
    }
  });

  test(`without a word of the endpoints booleans are numbers, and spaces that fill up a text do not come: ${flavour}`, async () => {
    const pair = await ToMysqlPair.make(servers[flavour], { sql: typed, schemas: ["app"] });
    try {
      const task = await pair.replicate();
      await pair.query(typedChanges);
      await pair.drain(task);
      const rows = await pair.queryTarget(typedRows, "app");
      assert.deepEqual(
        rows.map(({ doc: _doc, ...rest }) => rest),
        [
          { yes: "<1>", word: "<a>", wide: "<x>1", no: "1" },
          { yes: "<1>", word: "<b>", wide: "<yy>2", no: "1" },
          { yes: "<1>", word: "<c>", wide: "<z>1", no: "1" },
        ],
      );
    } finally {
      await pair.end();
    }
  });

  test(`numbers and dates that have no place come as the target's endpoint says, and are counted: ${flavour}`, async () => {
    const endpointSettings = { target: { NonFiniteNumbers: "null", OutOfRangeDates: "limit" } };
    const pair = await ToMysqlPair.make(servers[flavour], {
      sql: ranged,
      schemas: ["app"],
      endpointSettings,
    });
    try {
      const task = await pair.replicate();
      await pair.query(rangedChanges);
      task.running.drain();
      const { progress } = await task.running.outcome;
      const aside = progress.tables.filter(({ error }) => error !== undefined);
      assert.deepEqual(
        aside.map(({ id, error }) => [id.name, error!.code]),
        [["strict", "target.value_out_of_range"]],
      );
      const { low, high } = limits;
      const unfit = [null, null, null, last, `${low}.000`, `${high}.999999`];
      const past = [null, null, "0.00", first, `${high}.999`, `${low}.000000`];
      const fits = ["2.5", "3.25", "2024-02-29"];
      assert.deepEqual(await rowsOf(pair, "select * from edge order by id"), [
        ["1", ...unfit],
        ["2", null, ...fits, `${high}.999`, "2024-02-29 10:00:00.000000"],
        ["3", ...past.with(3, "2000-01-01")],
        ["11", ...unfit],
        ["12", "1.5", ...fits, "2024-02-29 12:00:00.125", "2024-02-29 10:00:00.000000"],
        ["13", ...past],
      ]);
      assert.deepEqual(await rowsOf(pair, "select * from until order by at"), [
        [`${low}.000000`, "1"],
        [`${high}.999999`, "3"],
      ]);
      assert.deepEqual(await rowsOf(pair, "select * from loose order by d"), [
        [null, last],
        ["1", last],
      ]);
      await pair.assertEqual([{ schema: "app", name: "plain" }]);
      const told = task.findings.filter(({ code }) => code === "target.value_out_of_range");
      const numbers = (subject: string): readonly number[] =>
        told.filter((one) => one.subject === subject).map(({ message }) => Number.parseInt(message, 10));
      assert.deepEqual(numbers("app.edge"), [10, 25]);
      assert.deepEqual(numbers("app.until"), [2, 4]);
      assert.deepEqual(numbers("app.loose"), [4, 5]);
      assert.match(told.find(({ subject }) => subject === "dates")!.message, /app\.until\.at/);
    } finally {
      await pair.end();
    }
  });

  test(`without a word of the endpoint they set their tables aside, by load and by change: ${flavour}`, async () => {
    const sql = `${ranged}; delete from app.until where at = 'infinity'`;
    const settings = JSON.stringify({ ErrorBehavior: { DataErrorPolicy: "SUSPEND_TABLE" } });
    const pair = await ToMysqlPair.make(servers[flavour], { sql, schemas: ["app"], settings });
    try {
      const task = await pair.replicate();
      const told = task.findings.filter(({ code }) => code === "target.value_out_of_range");
      assert.deepEqual(told.map(({ subject }) => subject).sort(), ["dates", "numbers"]);
      await pair.query("insert into app.until values ('infinity', 9); insert into app.plain values (2, 2)");
      task.running.drain();
      const { progress } = await task.running.outcome;
      const aside = progress.tables.filter(({ error }) => error !== undefined);
      assert.deepEqual(aside.map(({ id, error }) => `${id.name} ${error!.code}`).sort(), [
        "edge load.rejected",
        "loose load.rejected",
        "strict load.rejected",
        "until apply.rejected",
      ]);
      await pair.assertEqual([{ schema: "app", name: "plain" }]);
    } finally {
      await pair.end();
    }
  });

  test(`generated columns that the target cannot compute come with their values: ${flavour}`, async () => {
    const pair = await ToMysqlPair.make(servers[flavour], { sql: computed, schemas: ["app"] });
    const tables = ["halves", "whole", "both"].map((name) => ({ schema: "app", name }));
    try {
      const task = await pair.replicate();
      await pair.assertEqual(tables);
      await pair.query(computedChanges);
      await pair.drain(task);
      await pair.assertEqual(tables);
      const told = task.findings.filter(({ code }) => code === "convert.generated");
      assert.deepEqual(told.map(({ message }) => /column (\w+)/.exec(message)![1]).sort(), [
        "half",
        "label",
        "mean",
      ]);
      const kinds = await pair.queryTarget(
        `select column_name as name from information_schema.columns
          where table_schema = 'app' and generation_expression <> '' order by table_name, column_name`,
        "app",
      );
      assert.deepEqual(
        kinds.map(({ name }) => name),
        ["twice", "twice"],
      );
    } finally {
      await pair.end();
    }
  });
}

/** Rows of the database app as lists of their values. */
async function rowsOf(pair: ToMysqlPair, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await pair.queryTarget(sql, "app")).map((row) => Object.values(row));
}
