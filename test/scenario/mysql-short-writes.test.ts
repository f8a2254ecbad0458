import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { startMysql } from "../support/mysql-server.ts";
import { serversOfFile } from "../support/server-pair.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";

/* A MariaDB as it is installed, without performance_schema, shows that somebody has written, and not what Tideway writes. */

const { source, target } = await serversOfFile({
  source: startMysql({ flavour: "mariadb" }),
  target: startMysql({ flavour: "mariadb" }),
});

test("neither a load, changes, cascades nor a reload is somebody, and a statement of an application is", async () => {
  const database = await source.createDatabase("short");
  await source.query(
    `create table parent (id int primary key); create table marker (id int primary key auto_increment);
     create table child (id int primary key, parent int, foreign key (parent) references parent (id) on delete cascade);
     insert into parent values (1), (2), (3); insert into child values (1, 1), (2, 2), (3, 3)`,
    database,
  );
  await target.query("create user app identified by 'pw'; grant all on *.* to app");
  // Sessions of the task's own user might be Tideway's.
  const app = await target.connect("", { user: "app", password: "pw" });
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: source.endpoint(),
      target: target.endpoint(),
      tableMappings: schemas(database),
    }),
  );
  const told = () => task.findings.filter(({ code }) => code === "target.foreign_writes");
  try {
    await task.until(({ phase }) => phase === "replicating");
    await source.query("insert into parent values (9); delete from parent where id = 1", database);
    await eventually("the cascade", async () => {
      const [rows] = await app.query(`select id from \`${database}\`.child`);
      return (rows as unknown[]).length === 2;
    });
    task.running.reloadTables([{ schema: database, name: "parent" }]);
    await task.until(({ tables }) =>
      tables.some((table) => table.reloaded && table.state === "Table completed"),
    );
    await source.query("delete from parent where id = 2", database);
    await eventually("somebody", async () => {
      await app.query(`insert into \`${database}\`.marker values (null)`);
      return told().length > 0;
    });
    task.running.stop();
    await task.running.outcome;
    assert.deepEqual(
      told().map(({ subject, message }) => [subject, message.replace(/\d+ seconds/, "some seconds")]),
      [
        [
          `${database}.marker`,
          `Somebody writes to the target's table ${database}.marker: something was written in the last some seconds, in which Tideway wrote nothing to it.`,
        ],
      ],
    );
  } finally {
    app.destroy();
    task.running.stop();
    await task.running.outcome;
  }
});
