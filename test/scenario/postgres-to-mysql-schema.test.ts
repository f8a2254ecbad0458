import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";

/* Schema changes of PostgreSQL are followed by MySQL and MariaDB at their place in the stream. */

const before = `
  create schema ddl;
  create table ddl.a (id int primary key, v text constraint short check (length(v) < 10), n int constraint positive check (n > 0));
  insert into ddl.a values (1, 'x', 1), (2, 'y', 2);
  create table ddl.b (id int primary key, w varchar(10) constraint given check (w is not null));
  insert into ddl.b values (1, 'b');
  create table ddl.gone (id int primary key);
  insert into ddl.gone values (1)`;

/** Each in a transaction of its own. */
const changes = [
  "alter table ddl.a add column c text default 'fill', add column d int not null default 7",
  "insert into ddl.a values (3, 'z', 3, 'c3', 8)",
  "alter table ddl.b rename column w to ww",
  "update ddl.b set ww = 'bb'",
  "alter table ddl.a alter column n type bigint",
  "update ddl.a set n = 5000000000 where id = 1",
  "create index a_n on ddl.a (n)",
  "alter table ddl.a drop column v",
  "alter table ddl.b rename to renamed",
  "insert into ddl.renamed values (2, 'c')",
  "alter table ddl.a drop constraint positive, add constraint large check (n > -5000000000)",
  "insert into ddl.a values (4, -4000000000, 'c4', 9)",
  "create table ddl.fresh (id int primary key, t text)",
  "insert into ddl.fresh values (1, 'f')",
  "drop table ddl.gone",
  "truncate ddl.fresh",
  "insert into ddl.fresh values (2, 'last')",
];

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`tables are altered, renamed, made, emptied and dropped as on the source: ${flavour}`, async () => {
    const servers = await postgresToMysql({ flavour });
    const pair = await ToMysqlPair.make(servers, { sql: before, schemas: ["ddl"] });
    try {
      const task = await pair.replicate();
      for (const sql of changes) await pair.query(sql);
      await eventually("the last row", async () => {
        const there = await pair.queryTarget("show tables like 'fresh'", "ddl");
        if (there.length === 0) return false;
        const rows = await pair.queryTarget("select t from fresh", "ddl");
        return rows.length === 1 && rows[0]!["t"] === "last";
      });
      await pair.drain(task);
      await pair.assertEqual(["a", "renamed", "fresh"].map((name) => ({ schema: "ddl", name })));
      const columns = await pair.queryTarget(
        `select column_name as name, column_type as type, is_nullable as nullable from information_schema.columns
          where table_schema = 'ddl' and table_name = 'a' order by ordinal_position`,
        "ddl",
      );
      assert.deepEqual(
        columns.map(({ name, type, nullable }) => `${name} ${type?.replace(/\(\d+\)/, "")} ${nullable}`),
        ["id int NO", "n bigint YES", "c longtext YES", "d int NO"],
      );
      const checks = await pair.queryTarget(
        `select constraint_name as name from information_schema.table_constraints
          where constraint_schema = 'ddl' and constraint_type = 'CHECK' order by 1`,
        "ddl",
      );
      // The MySQL of these tests is of a version without checks.
      assert.deepEqual(
        checks.map(({ name }) => name),
        flavour === "mariadb" ? ["given", "large"] : [],
      );
      const tables = await pair.queryTarget(
        `select t.table_name as name, group_concat(distinct s.index_name order by 1) as indexes
           from information_schema.tables t left join information_schema.statistics s
             on s.table_schema = t.table_schema and s.table_name = t.table_name
          where t.table_schema = 'ddl' group by 1 order by 1`,
        "ddl",
      );
      assert.deepEqual(
        tables.map(({ name, indexes }) => `${name}: ${indexes}`),
        ["a: a_n,PRIMARY", "fresh: PRIMARY", "renamed: PRIMARY"],
      );
    } finally {
      await pair.end();
    }
  });
}

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`rows that show in a new column what has no place come as the endpoint says: ${flavour}`, async () => {
    const servers = await postgresToMysql({ flavour });
    const pair = await ToMysqlPair.make(servers, {
      sql: `create schema ddl; create table ddl.a (id int primary key); insert into ddl.a values (1), (2);
        create table ddl.b (id int primary key); insert into ddl.b values (1)`,
      schemas: ["ddl"],
      endpointSettings: { target: { NonFiniteNumbers: "null", OutOfRangeDates: "limit" } },
    });
    try {
      const task = await pair.replicate();
      await pair.query(
        `alter table ddl.a add n double precision default 'NaN', add day date not null default 'infinity',
          add m double precision default 1.5`,
      );
      await pair.query("insert into ddl.a values (3)");
      await pair.query("alter table ddl.b add n double precision not null default 'Infinity'");
      task.running.drain();
      const { progress } = await task.running.outcome;
      const aside = progress.tables.filter(({ error }) => error !== undefined);
      assert.deepEqual(
        aside.map(({ id, error }) => [id.name, error!.code]),
        [["b", "target.value_out_of_range"]],
      );
      const rows = await pair.queryTarget("select id, n, day, m from a order by id", "ddl");
      assert.deepEqual(
        rows,
        ["1", "2", "3"].map((id) => ({ id, n: null, day: "9999-12-31", m: "1.5" })),
      );
      const told = task.findings.filter(
        ({ code, subject }) => code === "target.value_out_of_range" && subject === "ddl.a",
      );
      assert.deepEqual(
        told.map(({ message }) => Number.parseInt(message, 10)),
        // Those that were there, then the one that came.
        [4, 2],
      );
    } finally {
      await pair.end();
    }
  });
}
