import assert from "node:assert/strict";
import { test } from "node:test";
import { armingOf, killsIn } from "../support/kills.ts";
import { MYSQL_NOTED_SCHEMA, mysqlNotedTables, mysqlSchemaChanges } from "../support/mysql-noted-schema.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { TaskProcess } from "../support/task.ts";

/* Schema changes of MySQL and MariaDB are followed at their place in the log. */

const servers = {
  mariadb: await mysqlToPostgres({ flavour: "mariadb" }),
  mysql: await mysqlToPostgres({ flavour: "mysql" }),
};

const resumed = { start: "resume-processing" } as const;

for (const flavour of ["mariadb", "mysql"] as const) {
  const pairOf = (name: string): Promise<MysqlPair> =>
    MysqlPair.make(servers[flavour], { name, schema: MYSQL_NOTED_SCHEMA });

  const assertFollowed = async (pair: MysqlPair): Promise<void> => {
    const tables = mysqlNotedTables.map((name) => ({ schema: pair.from, name }));
    await pair.assertEqual({ tables });
    const there = await pair.queryTarget(
      `select table_name as name from information_schema.tables where table_schema = '${pair.from}'`,
    );
    assert.deepEqual(there.map(({ name }) => name).toSorted(), mysqlNotedTables.toSorted());
  };

  test(`tables are altered, renamed, made and dropped at their place in the log: ${flavour}`, async () => {
    const pair = await pairOf("noted");
    try {
      const task = await pair.replicate();
      for (const sql of mysqlSchemaChanges) await pair.query(sql);
      assert.deepEqual(reasons((await drain(task)).progress), {});
      await assertFollowed(pair);
    } finally {
      await pair.end();
    }
  });

  test(`a task that was stopped follows them in turn, also when it is killed as soon as a table is altered: ${flavour}`, async () => {
    const pair = await pairOf("noted_later");
    try {
      await stop(await pair.replicate());
      for (const sql of mysqlSchemaChanges) await pair.query(sql);
      for (const kill of killsIn("altered")) {
        const killed = new TaskProcess({ ...pair.spec, ...resumed }, armingOf(kill));
        assert.equal((await killed.ended()).signal, "SIGKILL");
      }
      assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
      await assertFollowed(pair);
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
