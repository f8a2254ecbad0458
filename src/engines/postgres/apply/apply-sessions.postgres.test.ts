import assert from "node:assert/strict";
import { test } from "node:test";
import { connectAs, dropRole } from "../../../../test/support/plain-role.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { Replication } from "../../../../test/support/replication.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { ApplyMode } from "../../../core/target.ts";

const server = await serverOfFile(startPostgres());

async function stageCount(r: Replication): Promise<number> {
  const [row] = await r.queryTarget(
    "select count(*)::int as n from pg_class where relpersistence = 't' and relkind = 'r' and relname ~ '^tideway_'",
  );
  return row.n;
}

const tables = `create schema types; create type types.mood as enum ('sad', 'ok');
  create table parent (id int primary key, m types.mood); create table child (id int primary key, p int references parent, v int)`;
const rows = `insert into parent select i, 'ok' from generate_series(1, 100) i; insert into child select i, i, 0 from generate_series(1, 100) i;
  update child set v = 1; update parent set m = 'sad'; delete from child where id > 50; delete from parent where id > 50`;

test("without the privilege to make temporary tables changes are applied one by one", async () => {
  await using r = await Replication.start({ source: server, target: server, schema: tables });
  await connectAs(
    r,
    "grant set on parameter session_replication_role to $role; grant usage on schema types to $role",
  );
  await r.write(rows);
  await r.assertEqual();
  assert.equal(await stageCount(r), 0);
  await dropRole(r);
});

test("without the right to turn triggers off changes keep their order between tables", async () => {
  await using r = await Replication.start({ source: server, target: server, schema: tables });
  await connectAs(r, "grant temporary on database $database to $role; grant usage on schema types to $role");
  await r.write(rows);
  await r.assertEqual();
  assert.equal(await stageCount(r), 0);
  await dropRole(r);
});

test("a table whose staging table cannot be made is applied change by change, the others as sets", async () => {
  await using r = await Replication.start({ source: server, target: server, schema: tables });
  await connectAs(
    r,
    "grant set on parameter session_replication_role to $role; grant temporary on database $database to $role",
  );
  await r.write(`insert into parent select i, 'ok' from generate_series(1, 100) i`);
  await r.write(
    `insert into child select i, i, 0 from generate_series(1, 100) i; update child set v = 1; update parent set m = 'sad'`,
  );
  await r.write(
    "update child set v = 2; update parent set m = 'ok'; delete from child where id > 50; delete from parent where id > 50",
  );
  await r.assertEqual();
  assert.equal(await stageCount(r), 2);
  for (const counts of r.applied.values()) assert.equal(counts.conflicts, 0);
  await dropRole(r);
});

test("more staging tables than are worth keeping are dropped and made again", async () => {
  const names = Array.from({ length: 60 }, (_, i) => `t${i}`);
  await using r = await Replication.start({
    source: server,
    target: server,
    schema: names
      .map(
        (name) =>
          `create table ${name} (id int primary key, n int, big text); alter table ${name} alter big set storage external;`,
      )
      .join("\n"),
  });
  await r.write(
    names
      .map((name) => `insert into ${name} select i, i, repeat('b', 2500) from generate_series(1, 70) i`)
      .join("; "),
  );
  assert.equal(await stageCount(r), 0);
  const update = names
    .map(
      (name) =>
        `update ${name} set n = n + 1 where id <= 30; update ${name} set big = 'b' where id > 40; delete from ${name} where id = 31; insert into ${name} values (31, 0, '')`,
    )
    .join("; ");
  await r.write(update);
  await r.assertEqual();
  await r.write("update t0 set n = n + 1");
  assert.ok((await stageCount(r)) <= 100);
  await r.write(update);
  await r.write(update);
  await r.assertEqual();
  for (const counts of r.applied.values()) assert.equal(counts.conflicts, 0);
});

test("many changes that converge are applied one by one, and exact ones after them as sets", async () => {
  await using r = await Replication.start({
    source: server,
    target: server,
    schema: "create table t (id int primary key, v int)",
    mode: ApplyMode.converge,
  });
  // The target shows what is still to come for some of the rows.
  await r.queryTarget("insert into t select i, 1 from generate_series(1, 30) i");
  await r.write(
    `insert into t select i, 0 from generate_series(1, 100) i; update t set v = 1; delete from t where id > 90;
     insert into t select i, 5 from generate_series(101, 110) i`,
  );
  await r.assertEqual();
  assert.equal(await stageCount(r), 0);
  r.mode = undefined;
  await r.write("update t set v = v + 1");
  await r.assertEqual();
  assert.equal(await stageCount(r), 1);
  assert.equal(r.applied.get(`"public"."t"`)!.conflicts, 0);
});

test("an applier disposed while it applies, in whatever way, leaves whole transactions only", async () => {
  await using r = await Replication.start({
    source: server,
    target: server,
    schema:
      "create table t (id int primary key, n int, v text); create table sum (id int primary key, n int); insert into sum values (1, 0)",
  });
  for (let round = 0; round < 12; round++) {
    const rows = round % 4 === 3 ? 12_000 : 300;
    await r.query(`begin; insert into t select ${round} * 20000 + i, 0, repeat('v', 500) from generate_series(1, ${rows}) i;
      update t set n = n + 1 where id % 3 = 0; update sum set n = n + ${rows}; commit`);
    const [row] = await r.queryTarget(
      "select (select count(*) from t)::int as rows, (select n from sum) as told",
    );
    assert.equal(row.rows, row.told ?? 0);
    await r.close();
    await assert.rejects(r.applier.flush());
    await r.open();
  }
  await r.caughtUp();
  await r.assertEqual();
  for (const counts of r.applied.values()) assert.equal(counts.conflicts, 0);
});
