import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { failure, onTarget, planAndTarget, prepareOne } from "../../../../test/support/engine-target.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { createAll, prepareAll } from "../../../../test/support/schema-plan.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";

const server = await serverOfFile(startPostgres());

const PARENT_AND_CHILD = `
  create table parent (id integer primary key, name text not null);
  create table child (id integer primary key, parent integer references parent on delete cascade);`;

test("truncate empties a table that others of the task refer to and deletes nothing of theirs", async () => {
  const { plan, target } = await planAndTarget(server, PARENT_AND_CHILD);
  await createAll(target, plan, "drop-and-create");
  await server.query("insert into parent values (1, 'a'); insert into child values (1, 1)", target.database);
  await prepareOne(target, plan, "truncate", "parent");
  assert.deepEqual(await server.query("select * from parent", target.database), []);
  assert.equal((await server.query("select * from child", target.database)).length, 1);
  await prepareOne(target, plan, "truncate", "child");
  assert.deepEqual(await server.query("select * from child", target.database), []);
});

test("truncating one table leaves the rows of the others alone", async () => {
  const { plan, target } = await planAndTarget(
    server,
    "create table a (x integer); create table b (x integer)",
  );
  await prepareAll(target, plan, "do-nothing");
  await server.query("insert into a values (1); insert into b values (1)", target.database);
  await prepareOne(target, plan, "truncate", "a");
  assert.equal((await server.query("select from b", target.database)).length, 1);
});

test("rows that a table outside the task refers to are not deleted", async () => {
  const { plan, target } = await planAndTarget(server, "create table parent (id integer primary key)");
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
  const { plan, target } = await planAndTarget(server, PARENT_AND_CHILD);
  const { database } = target;
  await server.query(`create role plain login password '${server.password}'`);
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
  const { plan, target } = await planAndTarget(server, PARENT_AND_CHILD);
  await createAll(target, plan, "drop-and-create");
  await server.query("insert into parent values (1, 'a'); insert into child values (1, 1)", target.database);
  const [, parent] = plan.tables;
  await onTarget(target, (engine) => engine.emptyTable(parent!, unaborted));
  assert.deepEqual(await server.query("select * from parent", target.database), []);
  assert.equal((await server.query("select * from child", target.database)).length, 1);
  await server.query("drop table parent cascade", target.database);
  await assert.rejects(
    onTarget(target, (engine) => engine.emptyTable(parent!, unaborted)),
    failure("target.table_mismatch", /not there/),
  );
});
