import assert from "node:assert/strict";
import { test } from "node:test";
import { copyTable, describeTable, samePlan, unaborted, WHOLE } from "../../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { id, journalRequest, loadTarget, rows } from "../../../../test/support/load-target.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { MigrationError } from "../../../core/error.ts";
import { connect } from "../connection/connection.ts";
import { LoaderPool } from "../load/loader.ts";
import { targetFormats } from "./bulk-format.ts";

const server = await serverOfFile(startPostgres());

test("settings of the target's database do not change values", async () => {
  await using target = await loadTarget(server, "create table t (a text[], m money, x text)");
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
  await using target = await loadTarget(server, `${types}; create table t (${columns})`);
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
  await using target = await loadTarget(
    server,
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

test("a value of 200 MB passes with bounded memory", async (t) => {
  await using target = await loadTarget(server, "create table t (id int, v bytea)");
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
  t.after(() => clearInterval(watch));
  const plan = samePlan(await describeTable(endpoint, target.plan.source.id));
  const copied = await copyTable({
    source: endpoint,
    target: target.endpoint,
    plan,
    journal: journalRequest,
    size: WHOLE,
  });
  assert.equal(copied.format, "pg-copy-binary");
  assert(peak < 100 * 2 ** 20, `${Math.round(peak / 2 ** 20)} MB`);
  const print = "select md5(v) as print, length(v) as bytes from t";
  const [expected] = await server.query(print, source);
  assert.equal(expected.bytes, 200_000_000);
  assert.deepEqual(await server.query(print, target.database), [expected]);
});
