import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { LoadGate } from "../support/load-gate.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

const { source, target } = await serverPair();

const accounts = `create schema demo_schema;
  create table demo_schema.demo_accounts ("accountNumber" bigint not null, "firstName" varchar(20),
    "lastName" varchar(20), "creationTime" time not null);
  insert into demo_schema.demo_accounts select i, 'first' || i, nullif('last' || i, 'last3'), '12:00' from generate_series(1, 10) i`;

async function databases(name: string, schema: string): Promise<{ from: string; to: string }> {
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  await source.query(schema, from);
  return { from, to };
}

function mode(value: string): string {
  return JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: value } });
}

for (const prepMode of ["DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"]) {
  test(`${prepMode} creates what is missing and loads every row`, async () => {
    const { from, to } = await databases("missing", accounts);
    const ends = { source: endpointOf(source, from), target: endpointOf(target, to) };
    const { outcome } = await runToEnd(taskSpec({ type: "full-load", ...ends, settings: mode(prepMode) }));
    assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
    await assertEqualDatabases({ source, from, target, to, schemas: ["demo_schema"] });
  });
}

const existing = `create schema demo_schema;
  create table demo_schema.demo_accounts ("accountNumber" bigint not null, "firstName" text,
    "lastName" varchar(20), "creationTime" time not null, extra int default 7);
  insert into demo_schema.demo_accounts values (99, 'there', 'before', '01:00', 1)`;

const afterwards = {
  DO_NOTHING: { rows: 11, extra: 7, kept: true },
  DROP_AND_CREATE: { rows: 10, extra: undefined, kept: false },
  TRUNCATE_BEFORE_LOAD: { rows: 10, extra: 7, kept: true },
} as const;

for (const [prepMode, expected] of Object.entries(afterwards)) {
  test(`${prepMode} treats a table that is there as it says`, async () => {
    const { from, to } = await databases("there", accounts);
    await target.query(existing, to);
    const ends = { source: endpointOf(source, from), target: endpointOf(target, to) };
    const { outcome } = await runToEnd(taskSpec({ type: "full-load", ...ends, settings: mode(prepMode) }));
    assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
    assert.deepEqual(outcome.suspendedTables, []);
    const rows = await target.query(`select * from demo_schema.demo_accounts order by "accountNumber"`, to);
    assert.equal(rows.length, expected.rows);
    assert.equal(rows[0].extra, expected.extra);
    const type = await target.query(
      `select data_type from information_schema.columns where column_name = 'firstName' and table_name = 'demo_accounts'`,
      to,
    );
    assert.equal(type[0].data_type, expected.kept ? "text" : "character varying");
  });
}

test("schemas and tables are renamed with all that hangs on them", async () => {
  const { from, to } = await databases(
    "rename",
    `create schema shop; create type shop.state as enum ('new', 'old');
     create table shop.owner (id serial primary key, s shop.state default 'new');
     create table shop."Order" (id int primary key, owner_id int references shop.owner, at timestamptz default now());
     create index on shop."Order" (owner_id);
     insert into shop.owner (s) values ('old'), ('new'); insert into shop."Order" values (1, 2)`,
  );
  const rules = [
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "shop", "table-name": "%" },
      "rule-action": "include",
    },
    {
      "rule-type": "transformation",
      "rule-id": "2",
      "rule-name": "2",
      "rule-target": "schema",
      "object-locator": { "schema-name": "shop" },
      "rule-action": "rename",
      value: "store",
    },
    {
      "rule-type": "transformation",
      "rule-id": "3",
      "rule-name": "3",
      "rule-target": "table",
      "object-locator": { "schema-name": "shop", "table-name": "Order" },
      "rule-action": "convert-lowercase",
    },
  ];
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: JSON.stringify({ rules }),
    }),
  );
  await task.until((progress) => progress.phase === "replicating");
  await source.query(`insert into shop."Order" values (2, 1); update shop.owner set s = 'new'`, from);
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  assert.deepEqual(await target.query(`select id, owner_id from store."order" order by id`, to), [
    { id: 1, owner_id: 2 },
    { id: 2, owner_id: 1 },
  ]);
  assert.deepEqual(await target.query("insert into store.owner default values returning id, s", to), [
    { id: 3, s: "new" },
  ]);
  const foreign = await target.query("select conname from pg_constraint where contype = 'f'", to);
  assert.equal(foreign.length, 1);
  const left = await target.query("select 1 from pg_namespace where nspname = 'shop'", to);
  assert.equal(left.length, 0);
});

test("one snapshot is loaded, although rows move while it is read", async () => {
  const { from, to } = await databases(
    "moving",
    `create schema app; create table app.t (id int primary key, v int, pad text);
     insert into app.t select i, 0, repeat('p', 200) from generate_series(1, 200000) i`,
  );
  const client = await source.connect(from);
  let stop = false;
  const moving = (async () => {
    for (let i = 1; !stop; i++)
      await client.query("update app.t set v = $1 where id = any($2)", [i, [i, 200001 - i]]);
  })();
  const { outcome } = await runToEnd(
    taskSpec({
      type: "full-load",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
    }),
  );
  stop = true;
  await moving;
  await client.end();
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  // Each update changed a pair in one transaction: a consistent view shows both or neither.
  const torn = await target.query(
    "select 1 from app.t a join app.t b on b.id = 200001 - a.id where a.v <> b.v",
    to,
  );
  assert.equal(torn.length, 0);
  assert.equal((await target.query("select count(*)::int as n from app.t", to))[0].n, 200000);
});

test("a full load that was stopped resumes without reading finished tables again", async () => {
  const { from, to } = await databases(
    "halfway",
    `create schema app; create table app.a (id int primary key); create table app.b (id int primary key, pad text);
     insert into app.a select generate_series(1, 1000);
     insert into app.b select i, repeat('p', 100) from generate_series(1, 1000) i; analyze`,
  );
  const spec = taskSpec({
    type: "full-load",
    source: endpointOf(source, from),
    target: endpointOf(target, to),
    tableMappings: schemas("app"),
    settings: mode("DO_NOTHING"),
  });
  {
    await using gate = await LoadGate.make(target, to, { table: "b", id: 500 });
    const first = new ObservedTask(spec);
    await gate.reached();
    await first.until((progress) =>
      progress.tables.some((table) => table.id.name === "a" && table.state === "Table completed"),
    );
    first.running.stop();
    assert.equal((await first.running.outcome).stopReason, "NORMAL");
  }
  await source.query("delete from app.a where id > 500", from);
  const { outcome } = await runToEnd({ ...spec, start: "resume-processing" });
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  const counts = await target.query(
    "select (select count(*) from app.a)::int as a, (select count(*) from app.b)::int as b",
    to,
  );
  assert.deepEqual(counts, [{ a: 1000, b: 1000 }]);
});

test("TRUNCATE_BEFORE_LOAD empties and fills kept tables that refer to each other", async () => {
  const schema = `create schema app; create table app.parent (id int primary key);
    create table app.child (id int primary key, parent_id int not null references app.parent);`;
  const { from, to } = await databases(
    "kept",
    `${schema} insert into app.parent values (1), (2); insert into app.child values (10, 1), (11, 2)`,
  );
  await target.query(`${schema} insert into app.parent values (7); insert into app.child values (70, 7)`, to);
  const { outcome } = await runToEnd(
    taskSpec({
      type: "full-load",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
      settings: mode("TRUNCATE_BEFORE_LOAD"),
    }),
  );
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
});

test("a full load that goes on from a second snapshot says that its rows are of two moments", async () => {
  // More bytes than one partition has, by little in many pages.
  const rows = 130_000;
  const { from, to } = await databases(
    "moments",
    `create schema app; create table app.t (id int primary key, pad text) with (fillfactor = 10);
     insert into app.t select i, repeat('p', 100) from generate_series(1, ${rows}) i; analyze`,
  );
  const spec = taskSpec({
    type: "full-load",
    source: endpointOf(source, from),
    target: endpointOf(target, to),
    tableMappings: schemas("app"),
    // Shares of one scan would all be read again.
    settings: JSON.stringify({
      FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING", MaxFullLoadSubTasks: 1 },
      TidewaySettings: { SharedReadLimitInMB: 0 },
    }),
  });
  {
    await using gate = await LoadGate.make(target, to, { table: "t", id: rows });
    const first = new ObservedTask(spec);
    await gate.reached();
    first.running.stop();
    await first.running.outcome;
  }
  const done = await target.query("select from app.t limit 1", to);
  assert.equal(done.length, 1, "a partition is in, and another is not");
  const { outcome, findings } = await runToEnd({ ...spec, start: "resume-processing" });
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.ok(findings.some((finding) => finding.code === "load.two_moments" && finding.subject === "app.t"));
  assert.equal((await target.query("select count(*)::int as n from app.t", to))[0].n, rows);
});
