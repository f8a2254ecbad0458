import assert from "node:assert/strict";
import { test } from "node:test";
import { becomesTrue, eventually } from "../support/eventually.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { assertStopped } from "../support/task.ts";

/* What changes beside rows, and rows that PostgreSQL cannot have as they are. */

const servers = {
  mariadb: await mysqlToPostgres({ flavour: "mariadb" }),
  mysql: await mysqlToPostgres({ flavour: "mysql" }),
};

const small = `create table t (id int primary key, v varchar(20)); insert into t values (1, 'one'), (2, 'two');
  create table other (id int primary key, v varchar(20)); insert into other values (1, 'one')`;

for (const flavour of ["mariadb", "mysql"] as const) {
  const pairOf = (parts: Omit<Parameters<typeof MysqlPair.make>[1], "name">) =>
    MysqlPair.make(servers[flavour], { name: "app", ...parts });

  test(`a table that is emptied is emptied on the target, in its place: ${flavour}`, async () => {
    const pair = await pairOf({ schema: small });
    try {
      const task = await pair.replicate();
      await pair.query(
        "insert into t values (3, 'before'); truncate table t; insert into t values (1, 'after')",
      );
      await pair.drain(task);
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });

  test(`a task that starts at a time brings what committed then or later: ${flavour}`, async () => {
    const pair = await pairOf({ schema: small, type: "cdc" });
    try {
      const clock = async (): Promise<number> => {
        const [row] = await pair.query("select unix_timestamp() as seconds");
        return Number(row!["seconds"]);
      };
      const before = await clock();
      await eventually("the next second", async () => (await clock()) > before);
      const start = new Date((await clock()) * 1000).toISOString().slice(0, 19);
      await pair.query("insert into t values (3, 'three'); update other set v = 'two'");
      await pair.servers.target.query(
        `create schema ${pair.from}; create table ${pair.from}.t (id int primary key, v varchar(20));
         create table ${pair.from}.other (id int primary key, v varchar(20)); insert into ${pair.from}.other values (1, 'one')`,
        pair.to,
      );
      const task = pair.run({ cdcStartPosition: start, untilCaughtUp: true });
      assertStopped(await task.running.outcome);
      assert.deepEqual(await pair.queryTarget("select id, v from t"), [{ id: 3, v: "three" }]);
      assert.deepEqual(await pair.queryTarget("select v from other"), [{ v: "two" }]);
    } finally {
      await pair.end();
    }
  });

  test(`a column that is added at the end is followed: ${flavour}`, async () => {
    const pair = await pairOf({ schema: small });
    try {
      const task = await pair.replicate();
      await pair.query("insert into t values (3, 'before')");
      await pair.query(
        "alter table t add column n int not null default 7, add column label enum('a','b') default 'b'",
      );
      await pair.query(
        "insert into t values (4, 'after', 8, 'a'); update t set n = 9 where id = 1; insert into other values (2, 'x')",
      );
      await becomesTrue(pair.servers.target, pair.to, `(select count(*) = 2 from ${pair.from}.other)`);
      await task.until(({ phase }) => phase === "replicating");
      await pair.drain(task);
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });

  test(`a table whose column gets another type is set aside, and the others go on: ${flavour}`, async () => {
    const pair = await pairOf({ schema: small });
    try {
      const task = await pair.replicate();
      await pair.query("alter table t modify column v char(20)");
      await pair.query("insert into t values (5, 'later'); insert into other values (2, 'x')");
      await task.until(({ tables }) =>
        tables.some(({ id, error }) => id.name === "t" && error !== undefined),
      );
      await becomesTrue(pair.servers.target, pair.to, `(select count(*) = 2 from ${pair.from}.other)`);
      task.running.drain();
      const { progress } = await task.running.outcome;
      const aside = progress.tables.filter(({ error }) => error !== undefined);
      assert.deepEqual(
        aside.map(({ id, error }) => [id.name, error!.code]),
        [["t", "source.table_changed"]],
      );
      await pair.assertEqual({ tables: [{ schema: pair.from, name: "other" }] });
    } finally {
      await pair.end();
    }
  });

  test(`a stop position may lie in a file of the log that is not there yet: ${flavour}`, async () => {
    const pair = await pairOf({ schema: small });
    try {
      const [status] = await pair.query("show master status");
      const next = status!["File"]!.replace(/\d+$/, (digits) =>
        String(Number(digits) + 1).padStart(digits.length, "0"),
      );
      const task = await pair.replicate({ cdcStopPosition: `${next}:4` });
      await pair.query("insert into t values (3, 'before'); flush logs; insert into t values (4, 'after')");
      assertStopped(await task.running.outcome);
      assert.deepEqual(await pair.queryTarget("select id from t order by id"), [
        { id: 1 },
        { id: 2 },
        { id: 3 },
      ]);
    } finally {
      await pair.end();
    }
  });

  test(`a transaction of two phases counts although the task was stopped in between: ${flavour}`, async () => {
    const pair = await pairOf({ schema: small });
    try {
      const task = await pair.replicate();
      await pair.servers.source.queryAndLeave(
        "xa start 'x'; insert into t values (3, 'x'); xa end 'x'; xa prepare 'x'",
        pair.from,
      );
      await pair.query("insert into t values (4, 'seen')");
      await becomesTrue(pair.servers.target, pair.to, `exists (select from ${pair.from}.t where id = 4)`);
      task.running.stop();
      assertStopped(await task.running.outcome);
      await pair.query("insert into t values (5, 'y'); xa commit 'x'; delete from t where id = 1");
      await pair.drain(await pair.replicate({ start: "resume-processing" }));
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });

  const zeros = `set sql_mode = ''; create table z (id int primary key, d date, dt datetime(3), ts timestamp null);
    insert into z values (1, '0000-00-00', '0000-00-00', 0), (2, '2020-00-00', '2020-02-00 10:00:00', 0),
      (3, '2020-02-29', '2020-02-29 10:00:00.5', '2020-02-29 10:00:00')`;

  test(`zero and partial dates become NULL, and are counted: ${flavour}`, async () => {
    const pair = await pairOf({ schema: zeros });
    try {
      const task = await pair.replicate();
      await pair.query("set sql_mode = ''; insert into z select id + 10, d, dt, ts from z");
      await pair.drain(task);
      await pair.assertEqual();
      const rows = await pair.queryTarget(
        "select id from z where d is null and dt is null and ts is null order by id",
      );
      assert.deepEqual(
        rows.map(({ id }) => id),
        [1, 2, 11, 12],
      );
      const told = task.findings.filter(({ code }) => code === "source.zero_date");
      for (const start of ["6 dates that no calendar has", "6 dates of changed rows that no calendar has"])
        assert.ok(
          told.some(({ message }) => message.startsWith(start)),
          start,
        );
    } finally {
      await pair.end();
    }
  });

  test(`zero dates become the beginning of 1970 when the endpoint says so: ${flavour}`, async () => {
    const pair = await pairOf({ schema: zeros, sourceSettings: { ZeroDates: "epoch" } });
    try {
      const task = await pair.replicate();
      await pair.query("set sql_mode = ''; insert into z select id + 10, d, dt, ts from z");
      await pair.drain(task);
      await pair.assertEqual({ zeroDate: "1970-01-01" });
    } finally {
      await pair.end();
    }
  });

  test(`zero dates set their table aside when they are to be errors: ${flavour}`, async () => {
    const pair = await pairOf({ schema: `${zeros}; ${small}`, sourceSettings: { ZeroDates: "error" } });
    try {
      const task = pair.run({ type: "full-load" });
      const { progress } = await task.running.outcome;
      const aside = progress.tables.filter(({ error }) => error !== undefined);
      assert.deepEqual(
        aside.map(({ id }) => id.name),
        ["z"],
      );
      assert.match(aside[0]!.error!.message + aside[0]!.error!.remedy, /ZeroDates/);
      await pair.assertEqual({ tables: ["t", "other"].map((name) => ({ schema: pair.from, name })) });
    } finally {
      await pair.end();
    }
  });
}
