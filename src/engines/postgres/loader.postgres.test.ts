import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { copyTable, describeTable, samePlan, unaborted, WHOLE } from "../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../test/support/postgres-server.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { TablePlan } from "../../core/plan.ts";
import type { RowChunk } from "../../core/row-chunk.ts";
import type { Partition } from "../../core/source.ts";
import type { Journal, LoadRequest } from "../../core/target.ts";
import { targetFormats } from "./bulk-format.ts";
import { connect } from "./connection.ts";
import { openJournal } from "./journal.ts";
import { LoaderPool } from "./loader.ts";

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server?.[Symbol.asyncDispose]());

const id = { schema: "public", name: "t" };
const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: 1 };
const journalRequest = { taskId: "task", controlSchema: undefined };

interface Target extends AsyncDisposable {
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly plan: TablePlan;
  readonly request: LoadRequest;
  readonly journal: Journal;
  readonly loaders: LoaderPool;
}

/** A target with an empty table, planned in its journal as one partition. */
async function newTarget(ddl: string): Promise<Target> {
  const database = await server.createDatabase();
  await server.query(ddl, database);
  const endpoint = endpointOf(server, database);
  const plan = samePlan(await describeTable(endpoint, id));
  const journal = await openJournal(endpoint, journalRequest, unaborted);
  const loaders = new LoaderPool(endpoint);
  await journal.planTables([{ id, created: true, snapshot: undefined, partitions: [whole] }], unaborted);
  return {
    database,
    endpoint,
    plan,
    request: { ...journalRequest, plan, partition: whole, format: "pg-copy-text" },
    journal,
    loaders,
    async [Symbol.asyncDispose]() {
      await journal[Symbol.asyncDispose]();
      await loaders[Symbol.asyncDispose]();
    },
  };
}

/** One CopyData frame of text rows. */
function rows(...lines: readonly string[]): RowChunk {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const frame = Buffer.alloc(5 + body.length);
  frame.write("d");
  frame.writeInt32BE(4 + body.length, 1);
  body.copy(frame, 5);
  return { bytes: frame, rows: lines.length };
}

async function count(target: Target): Promise<number> {
  const [row] = await server.query("select count(*)::int as n from t", target.database);
  return row.n;
}

async function journaled(target: Target): Promise<{ done: boolean; rows: number }> {
  const [table] = await target.journal.tables(unaborted);
  const { done, rows } = table!.partitions[0]!;
  return { done, rows };
}

/** Polls until a condition holds; gives up after some seconds. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end) {
    if (await condition()) return;
    await nextTurn();
  }
  assert.fail("the condition never came true");
}

test("rows and the partition's completion become visible together", async () => {
  await using target = await newTarget("create table t (a int)");
  await using loader = await target.loaders.open(target.request, unaborted);
  await loader.write(rows("1", "2"));
  await loader.write(rows("\\N"));
  assert.equal(await count(target), 0);
  assert.deepEqual(await loader.finish(), { rows: 3 });
  assert.equal(await count(target), 3);
  assert.deepEqual(await journaled(target), { done: true, rows: 3 });
});

test("a loader that is disposed without finish leaves no row, and the partition is not done", async () => {
  await using target = await newTarget("create table t (a int primary key)");
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
  await using target = await newTarget("create table t (a int)");
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
  await using target = await newTarget("create table t (a int)");
  {
    await using loader = await target.loaders.open(target.request, unaborted);
    await loader.finish();
  }
  const sessions =
    "from pg_stat_activity where application_name = 'tideway load' and datname = current_database()";
  await server.query(`select pg_terminate_backend(pid) ${sessions}`, target.database);
  await until(async () => (await server.query(`select ${sessions}`, target.database)).length === 0);
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
  await using target = await newTarget("create table t (a int)");
  const client = await server.connect(target.database);
  await client.query("begin; lock table t in share mode");
  const controller = new AbortController();
  const opening = target.loaders.open(target.request, controller.signal);
  const waiting =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await until(async () => (await server.query(waiting, target.database)).length === 1);
  controller.abort(new Error("enough"));
  await assert.rejects(opening, /enough/);
  await client.end();
  assert.equal(await count(target), 0);
});

test("a partition that is done, or not planned, is not loaded a second time", async () => {
  await using target = await newTarget("create table t (a int)");
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
  await using target = await newTarget("create table t (a int, secret text check (length(secret) < 9))");
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
  await using target = await newTarget("create table t (a int)");
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
  await using target = await newTarget(
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
  await using target = await newTarget(
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

test("settings of the target's database do not change values", async () => {
  await using target = await newTarget("create table t (a text[], m money, x text)");
  await server.query(
    `alter database ${target.database} set array_nulls = off;
     alter database ${target.database} set standard_conforming_strings = off;
     alter database ${target.database} set default_transaction_isolation = serializable;
     alter database ${target.database} set datestyle = german`,
  );
  await using pool = new LoaderPool(target.endpoint);
  await using loader = await pool.open(target.request, unaborted);
  await loader.write(rows("{NULL,a}\t$1,234.50\t\\\\n"));
  await loader.finish();
  const [row] = await server.query(
    "select a[1] is null as empty, m::numeric as m, x from t",
    target.database,
  );
  assert.deepEqual(row, { empty: true, m: "1234.50", x: "\\n" });
});

test("binary is offered only where the target's column takes what the source's column sends", async () => {
  const columns = "id int, s varchar(20), e mood, d positive, n numeric(10,2), a int[], j jsonb";
  const types = "create type mood as enum ('a'); create domain positive as int";
  const same: readonly string[] = [
    columns,
    "j jsonb, id int, s text, e text, d int, n numeric, a int[], extra text default 'x'",
    "id positive, s mood, e varchar, d positive, n numeric(10,2), a int[], j jsonb",
  ];
  const other: readonly string[] = [
    columns.replace("id int", "id bigint"),
    columns.replace("jsonb", "json"),
    columns.replace("int[]", "bigint[]"),
    columns.replace("d positive", "d bigint"),
    columns.replace("n numeric(10,2)", "n float8"),
  ];
  const mismatched: readonly string[] = [
    columns.replace("id int, ", ""),
    columns.replace("id int", "id int generated always as (1) stored"),
  ];
  await using target = await newTarget(`${types}; create table t (${columns})`);
  const client = await connect(target.endpoint, { side: "target", purpose: "test" }, unaborted);
  const offered = async (definition: string): Promise<string> => {
    await client.query(`drop table t; create table t (${definition})`);
    const [outcome] = await targetFormats(client, [target.plan]);
    return outcome instanceof MigrationError ? outcome.code : outcome!.join();
  };
  for (const definition of same) assert.equal(await offered(definition), "pg-copy-binary,pg-copy-text");
  for (const definition of other) assert.equal(await offered(definition), "pg-copy-text", definition);
  for (const definition of mismatched) assert.equal(await offered(definition), "target.table_mismatch");
  await client.query("drop table t");
  const [missing] = await targetFormats(client, [target.plan]);
  assert(missing instanceof MigrationError);
  assert.deepEqual([missing.code, missing.table], ["target.table_mismatch", id]);
  await client.end();
});

test("rows reach columns of other types, order and names on the target", async () => {
  await using target = await newTarget(
    `create schema s; create table t (a int, b text, c jsonb, d timestamptz);
     insert into t values (1, 'x', '{"k": 1}', '2020-01-01 00:00:00+00'), (null, null, null, null);
     create table s."New" (extra int default 5, "D" timestamptz, "C" json, "B" varchar(3), "A" bigint)`,
  );
  const columns = target.plan.source.columns.map((column) => ({
    ...column,
    name: column.name.toUpperCase(),
  }));
  const plan = {
    ...target.plan,
    target: { ...target.plan.source, id: { schema: "s", name: "New" }, columns },
  };
  const { endpoint } = target;
  const copied = await copyTable({
    source: endpoint,
    target: endpoint,
    plan,
    journal: journalRequest,
    size: WHOLE,
  });
  assert.equal(copied.format, "pg-copy-text");
  const found = await server.query(
    `select extra, "A"::int, "B", "C"::text, "D" = '2020-01-01 00:00:00+00' as "D" from s."New" order by "A"`,
    target.database,
  );
  assert.deepEqual(found, [
    { extra: 5, A: 1, B: "x", C: '{"k": 1}', D: true },
    { extra: 5, A: null, B: null, C: null, D: null },
  ]);
});

test("a value of 200 MB passes with bounded memory", async () => {
  await using target = await newTarget("create table t (id int, v bytea)");
  const source = await server.createDatabase("source");
  await server.query(
    `create table t (id int, v bytea); alter table t alter v set storage external;
     insert into t select 1, decode(repeat(md5('x'), 12500000), 'hex')`,
    source,
  );
  await server.query("alter table t alter v set storage external", target.database);
  const endpoint = endpointOf(server, source);
  const before = process.memoryUsage();
  let peak = 0;
  const watch = setInterval(() => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    peak = Math.max(peak, arrayBuffers - before.arrayBuffers + heapUsed - before.heapUsed);
  }, 5);
  const { plan } = target;
  const copied = await copyTable({
    source: endpoint,
    target: target.endpoint,
    plan,
    journal: journalRequest,
    size: WHOLE,
  });
  clearInterval(watch);
  assert.equal(copied.format, "pg-copy-binary");
  assert(peak < 100 * 2 ** 20, `${Math.round(peak / 2 ** 20)} MB`);
  const print = "select md5(v) as print, length(v) as bytes from t";
  const [expected] = await server.query(print, source);
  assert.equal(expected.bytes, 200_000_000);
  assert.deepEqual(await server.query(print, target.database), [expected]);
});
