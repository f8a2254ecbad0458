import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { armingOf, killsIn } from "../support/kills.ts";
import { MYSQL_NOTED_SCHEMA, mysqlNotedTables, mysqlSchemaChanges } from "../support/mysql-noted-schema.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";

/* Schema changes of MySQL and MariaDB are followed at their place in the log. */

const servers = {
  mariadb: await mysqlToPostgres({ flavour: "mariadb" }),
  mysql: await mysqlToPostgres({ flavour: "mysql" }),
};

const resumed = { start: "resume-processing" } as const;

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`tables are altered, renamed, made and dropped at their place in the log, also by a task that was stopped, or is killed as soon as one is altered: ${flavour}`, async () => {
    const pair = await MysqlPair.make(servers[flavour], { name: "noted", schema: MYSQL_NOTED_SCHEMA });
    const half = mysqlSchemaChanges.length / 2;
    try {
      const task = await pair.replicate();
      for (const sql of mysqlSchemaChanges.slice(0, half)) await pair.query(sql);
      assert.deepEqual(reasons((await drain(task)).progress), {});
      for (const sql of mysqlSchemaChanges.slice(half)) await pair.query(sql);
      for (const kill of killsIn("altered")) await pair.killAt(armingOf(kill), resumed);
      assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
      await pair.assertEqual({ tables: mysqlNotedTables.map((name) => ({ schema: pair.from, name })) });
      const there = await pair.queryTarget(
        `select table_name as name from information_schema.tables where table_schema = '${pair.from}'`,
      );
      assert.deepEqual(there.map(({ name }) => name).toSorted(), mysqlNotedTables.toSorted());
    } finally {
      await pair.end();
    }
  });

  test(`a log that was rotated while the task was stopped comes whole, under each of its names: ${flavour}`, async () => {
    const schema =
      "create table log (id int primary key, v varchar(9)); insert into log values (1, 'a'), (2, 'b')";
    const pair = await MysqlPair.make(servers[flavour], { name: "noted_log", schema });
    try {
      await stop(await pair.replicate());
      await pair.query(`insert into log values (3, 'c'); rename table log to log_1; create table log like log_1;
        insert into log values (4, 'd'); update log_1 set v = 'x' where id = 1;
        rename table log_1 to log_2, log to log_1; create table log like log_1; insert into log values (5, 'e')`);
      const task = await pair.replicate(resumed);
      await pair.query(
        `insert into log values (6, 'f'); delete from log_1; update log_2 set v = 'y' where id = 2;
          create table log_3 like log_2; insert into log_3 values (8, 'h')`,
      );
      assert.deepEqual(reasons((await drain(task)).progress), {});
      const tables = ["log", "log_1", "log_2", "log_3"].map((name) => ({ schema: pair.from, name }));
      await pair.assertEqual({ tables });
      // The oldest is gone, and there again under its name, when the task comes to where it was dropped.
      await pair.query(`drop table log_3; rename table log_2 to log_3, log_1 to log_2, log to log_1;
        create table log like log_1; insert into log values (9, 'i')`);
      assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
      await pair.assertEqual({ tables });
      await pair.query(
        "rename table log to log_4; create table log like log_4; insert into log values (7, 'g')",
      );
      await pair.killAt("prepare.tables-made", resumed);
      await pair.query("drop table log_4; delete from log_3 where id = 1");
      const gone = { log_4: "The table was dropped or renamed." };
      assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), gone);
      await pair.assertEqual({ tables });
      // Dropped by hand, the target's table has its name no more.
      await pair.queryTarget("drop table log_4");
      const renaming = await pair.replicate(resumed);
      await pair.query("rename table log_3 to log_4; create table log_3 like log_4");
      await drain(renaming);
      await pair.assertEqual({ tables: [...tables, { schema: pair.from, name: "log_4" }] });
    } finally {
      await pair.end();
    }
  });

  test(`rows that are logged in part never get the default of another time: ${flavour}`, async () => {
    const { source } = servers[flavour];
    await source.query("set global binlog_row_image = MINIMAL");
    const schema =
      "create table t (id int primary key, v varchar(9) default 'a'); insert into t values (1, 'x')";
    const pair = await MysqlPair.make(servers[flavour], { name: "noted_part", schema });
    try {
      await stop(await pair.replicate());
      await pair.query(`insert into t (id) values (2); alter table t alter v set default 'b'; insert into t (id) values (3);
        alter table t alter v set default 'a'; insert into t (id) values (4)`);
      const { progress } = await drain(await pair.replicate(resumed));
      const [t] = progress.tables.map(({ error }) => error?.code);
      assert.equal(t, "source.row_image");
      assert.deepEqual(await pair.queryTarget("select id, v from t where id <= 2 order by id"), [
        { id: 1, v: "x" },
        { id: 2, v: "a" },
      ]);
    } finally {
      await source.query("set global binlog_row_image = FULL");
      await pair.end();
    }
  });
}

test("tables that lose columns before they are cut or read again are planned anew, with changes of the others", async (t) => {
  // What the server believes of its size has a table cut.
  const schema = `create table t (id int primary key, gone int, v int); insert into t values (1, 2, 3);
    create table big (id int primary key, v int) stats_persistent = 1 stats_auto_recalc = 0;
    insert into big values (1, 2); analyze table big; update mysql.innodb_table_stats set n_rows = 5000000
      where database_name = database() and table_name = 'big'; flush tables big`;
  const { target } = servers.mysql;
  // The log's notes, which would end the attempt, are not followed.
  const settings = JSON.stringify({
    ChangeProcessingDdlHandlingPolicy: { HandleSourceTableAltered: false },
  });
  const pair = await MysqlPair.make(servers.mysql, { name: "noted_reload", schema, settings });
  const tables = ["t", "big"].map((name) => ({ schema: pair.from, name }));
  const blocker = await target.connect(pair.to);
  t.after(async () => {
    await blocker.end();
    await pair.end();
  });
  const task = await pair.replicate();
  await blocker.query(
    `begin; lock table ${tables.map(({ name }) => `${pair.from}.${name}`).join(", ")} in row share mode`,
  );
  task.running.reloadTables(tables);
  await eventually("a reload that waits", async () => {
    const waiting = `select from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = '${pair.to}' and not l.granted`;
    return (await target.query(waiting)).length > 0;
  });
  await pair.query("alter table t drop column gone; alter table big change id number int");
  await blocker.query("commit");
  await task.until(({ phase, tables: all }) => {
    const isOver = all.every(
      ({ reloaded, state, error }) => error !== undefined || (reloaded && state === "Table completed"),
    );
    return phase === "replicating" && isOver;
  });
  await pair.query("insert into t values (4, 5); insert into big values (6, 7)");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.assertEqual();
});
