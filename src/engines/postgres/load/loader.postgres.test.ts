import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { id, type LoadTarget, loadTarget, rows, whole } from "../../../../test/support/load-target.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { MigrationError } from "../../../core/error.ts";
import { LoaderPool } from "./loader.ts";

const server = await serverOfFile(startPostgres());

async function count(target: LoadTarget): Promise<number> {
  const [row] = await server.query("select count(*)::int as n from t", target.database);
  return row.n;
}

async function journaled(target: LoadTarget): Promise<{ done: boolean; rows: number }> {
  const [table] = await target.journal.tables(unaborted);
  const { done, rows } = table!.partitions[0]!;
  return { done, rows };
}

test("rows and the partition's completion become visible together", async () => {
  await using target = await loadTarget(server, "create table t (a int)");
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("1", "2"));
  await loader.write(rows("\\N"));
  assert.equal(await count(target), 0);
  assert.deepEqual(await loader.finish(), { rows: 3 });
  assert.equal(await count(target), 3);
  assert.deepEqual(await journaled(target), { done: true, rows: 3 });
});

test("a loader that is disposed without finish leaves no row, and the partition is not done", async () => {
  await using target = await loadTarget(server, "create table t (a int primary key)");
  {
    await using pool = new LoaderPool(target.endpoint);
    await using loader = await pool.open(target.request, unaborted);
    await loader.write(rows("1"));
  }
  assert.deepEqual(await journaled(target), { done: false, rows: 0 });
  await using pool = new LoaderPool(target.endpoint);
  await using again = await pool.open(target.request, unaborted);
  await again.write(rows("1"));
  await again.finish();
  assert.equal(await count(target), 1);
});

test("a loader whose session is ended in the middle leaves no row", async () => {
  await using target = await loadTarget(server, "create table t (a int)");
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("1"));
  await server.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tideway load' and datname = current_database()",
    target.database,
  );
  await assert.rejects(
    async () => {
      for (let i = 0; i < 100_000; i++) await loader.write(rows(String(i)));
      await loader.finish();
    },
    { code: "connect.lost" },
  );
  assert.equal(await count(target), 0);
  assert.deepEqual(await journaled(target), { done: false, rows: 0 });
  await using again = await target.loaders.open(target.request, unaborted);
  await again.write(rows("1"));
  await again.finish();
  assert.equal(await count(target), 1);
});

test("a session that the server ends while it is idle in the pool is not used again", async () => {
  await using target = await loadTarget(server, "create table t (a int)");
  {
    await using loader = await target.loaders.open(target.request, unaborted);
    await loader.finish();
  }
  const sessions =
    "from pg_stat_activity where application_name = 'tideway load' and datname = current_database()";
  await server.query(`select pg_terminate_backend(pid) ${sessions}`, target.database);
  await eventually(
    "no more sessions",
    async () => (await server.query(`select ${sessions}`, target.database)).length === 0,
  );
  await target.journal.planTables(
    [{ id, created: true, snapshot: undefined, partitions: [whole] }],
    unaborted,
  );
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("1"));
  await loader.finish();
  assert.equal(await count(target), 1);
});

test("aborting gives the load up with the signal's reason, whatever the server is doing", async () => {
  await using target = await loadTarget(server, "create table t (a int)");
  const client = await server.connect(target.database);
  await client.query("begin; lock table t in share mode");
  const controller = new AbortController();
  const opening = target.loaders.open(target.request, controller.signal);
  const waiting =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await eventually(
    "a session that waits",
    async () => (await server.query(waiting, target.database)).length === 1,
  );
  controller.abort(new Error("enough"));
  await assert.rejects(opening, /enough/);
  await client.end();
  assert.equal(await count(target), 0);
});

test("a partition that is done, or not planned, is not loaded a second time", async () => {
  await using target = await loadTarget(server, "create table t (a int)");
  for (let i = 0; i < 2; i++) {
    await using loader = await target.loaders.open(target.request, unaborted);
    await loader.write(rows("1"));
    if (i === 0) await loader.finish();
    else await assert.rejects(loader.finish(), { code: "load.partition_taken", table: id });
  }
  await target.journal.planTables([{ id, created: true, snapshot: undefined, partitions: [] }], unaborted);
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("1"));
  await assert.rejects(loader.finish(), { code: "load.partition_taken" });
  assert.equal(await count(target), 1);
});

test("a row that the target refuses is the table's error and shows no value", async () => {
  await using target = await loadTarget(
    server,
    "create table t (a int, secret text check (length(secret) < 9))",
  );
  const bad = ["1\thush-hush-hush", "hush-hush\tx", "1\tx\thush-hush", `1\t${"\\xff"}`];
  for (const line of bad) {
    await using loader = await target.loaders.open(target.request, unaborted);
    const error: MigrationError = await loader
      .write(rows("1\tok", line))
      .then(() => loader.finish())
      .then(
        () => assert.fail("the row was taken"),
        (thrown) => thrown,
      );
    assert.equal(error.code, "load.rejected");
    assert.deepEqual(error.table, id);
    assert.doesNotMatch(JSON.stringify(error) + error.stack + String(error.cause), /hush/);
  }
  assert.equal(await count(target), 0);
});

test("writing stops soon after the target has refused a row, with the server's error", async () => {
  await using target = await loadTarget(server, "create table t (a int)");
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("x"));
  const many = rows(...Array.from({ length: 1000 }, (_, i) => String(i)));
  let written = 0;
  await assert.rejects(
    async () => {
      for (; written < 100_000; written++) await loader.write(many);
    },
    { code: "load.rejected", nativeCode: "22P02" },
  );
  assert(written < 50_000, `${written} chunks`);
});

test("triggers and foreign keys of a table that was there do not act", async () => {
  await using target = await loadTarget(
    server,
    `create table parent (id int primary key); create table t (a int references parent);
     create function twice() returns trigger language plpgsql as $$ begin insert into parent values (new.a); raise warning 'x'; return new; end $$;
     create trigger twice before insert on t for each row execute function twice()`,
  );
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("1"));
  await loader.finish();
  assert.equal(await count(target), 1);
  assert.equal((await server.query("select from parent", target.database)).length, 0);
});

test("a user who may not switch triggers off loads with them on, warnings included", async () => {
  await using target = await loadTarget(
    server,
    `create table t (a int); create role loader_${process.pid} login password 'loader';
     create function shout() returns trigger language plpgsql as $$ begin raise warning 'row %', new.a; return new; end $$;
     create trigger shout before insert on t for each row execute function shout()`,
  );
  await server.query(`grant all on all tables in schema public to loader_${process.pid}`, target.database);
  const endpoint = { ...target.endpoint, username: `loader_${process.pid}`, password: "loader" };
  await using pool = new LoaderPool(endpoint);
  await using loader = await pool.open(target.request, unaborted);
  for (let i = 0; i < 200; i++) await loader.write(rows(String(i)));
  assert.deepEqual(await loader.finish(), { rows: 200 });
});
