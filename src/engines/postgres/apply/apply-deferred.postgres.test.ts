import assert from "node:assert/strict";
import { test } from "node:test";
import { loadTarget, rows } from "../../../../test/support/load-target.ts";
import { connectAs, dropRole } from "../../../../test/support/plain-role.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { Replication } from "../../../../test/support/replication.ts";
import { reopen } from "../../../../test/support/row-error-cases.ts";
import { LOG } from "../../../../test/support/row-error-policies.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { MigrationError } from "../../../core/error.ts";
import { LoaderPool } from "../load/loader.ts";

/* Constraints that the target looks at only when a transaction ends, for a user who may not turn them off. */

const server = await serverOfFile(startPostgres());

const TABLES = `create table parent (id int primary key); create table child (id int primary key, p int);
  create table a (id int primary key, b int); create table b (id int primary key, a int);
  create table u (id int primary key, v int)`;
const LATE = `alter table child add foreign key (p) references parent deferrable initially deferred;
  alter table a add foreign key (b) references b deferrable; alter table b add foreign key (a) references a deferrable;
  alter table u add unique (v) deferrable initially deferred`;

async function start(): Promise<Replication> {
  const targetSchema = `${TABLES}; ${LATE}`;
  const r = await Replication.start({ source: server, target: server, schema: TABLES, targetSchema });
  await connectAs(r, "grant temporary on database $database to $role");
  return r;
}

/** Tables and keys of what was passed over. */
async function exceptions(r: Replication): Promise<readonly string[]> {
  const found = await r.queryTarget(
    `select "TABLE_NAME" || ' ' || substring("STATEMENT" from '"id" ?: ?"(\\d+)"') as row from awsdms_apply_exceptions order by 1`,
  );
  return found.map(({ row }) => row);
}

test("a row that a constraint refuses when the transaction ends is found and passed over", async () => {
  await using r = await start();
  await r.query("insert into child values (1, 99)");
  const refusal = (await r.failure()) as MigrationError;
  assert.deepEqual(
    [refusal.code, refusal.isOfRow, refusal.table?.name],
    ["apply.rejected", true, "child"],
    refusal.message,
  );
  await reopen(r, {}, true);
  await r.write("insert into parent values (1); insert into child values (2, 1)");
  await r.write("insert into parent values (3); insert into child values (3, 3), (4, 98)");
  await r.write("insert into u values (1, 1), (2, 2)");
  await r.write("insert into u values (3, 2), (4, 4)");
  assert.deepEqual(await exceptions(r), ["child 1", "child 4", "u 3"]);
  assert.deepEqual(await r.queryTarget("select id from child order by 1"), [{ id: 2 }, { id: 3 }]);
  assert.deepEqual(await r.queryTarget("select id from u order by 1"), [{ id: 1 }, { id: 2 }, { id: 4 }]);
  await dropRole(r);
});

test("changes that are fit only together with later ones of their transaction come, whatever is refused beside them", async () => {
  await using r = await start();
  await reopen(r, {}, true);
  // One group of several transactions, of which one has a row that is refused.
  await r.query(`begin; insert into a values (1, 1); insert into u values (1, 1), (2, 2); insert into b values (1, 1); commit;
    begin; insert into child values (1, 99); commit;
    begin; insert into child values (2, 7); insert into parent values (7); update u set v = 3 - v; commit`);
  await r.caughtUp();
  assert.deepEqual(await exceptions(r), ["child 1"]);
  assert.deepEqual(await r.queryTarget("select a.b, b.a, c.p from a, b, child c"), [{ b: 1, a: 1, p: 7 }]);
  assert.deepEqual(await r.queryTarget("select v from u order by id"), [{ v: 2 }, { v: 1 }]);
  // Within one transaction they cannot be told apart: both are recorded.
  await r.write("insert into child values (3, 8), (4, 98); insert into parent values (8)");
  assert.deepEqual(await exceptions(r), ["child 1", "child 3", "child 4"]);
  await dropRole(r);
});

test("a load finds rows that a unique constraint would refuse when it ends, and those that refer to later ones come", async () => {
  await using t = await loadTarget(
    server,
    `create table t (id int primary key, v int, up int references t deferrable initially deferred)`,
  );
  await server.query("alter table t add unique (v) deferrable initially deferred", t.database);
  const role = `loader_${t.database}`;
  await server.query(
    `create role ${role} login password 'pw'; grant all on all tables in schema public to ${role}`,
    t.database,
  );
  await using loaders = new LoaderPool({ ...t.endpoint, username: role, password: "pw" });
  await using loader = await loaders.open({ ...t.request, screens: LOG }, AbortSignal.timeout(60_000));
  await loader.write(rows("1\t1\t2000", "2\t1\t\\N"));
  await loader.write(rows(...Array.from({ length: 1998 }, (_, i) => `${i + 3}\t${i + 3}\t1`)));
  assert.deepEqual(await loader.finish(), { rows: 1999, leftOut: { refused: 1, logged: 1 } });
  await server.query(`drop owned by ${role}; drop role ${role}`, t.database);
});
