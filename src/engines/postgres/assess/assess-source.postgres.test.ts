import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { planFor } from "../../../../test/support/schema-plan.ts";
import type { Finding } from "../../../core/finding.ts";
import type { TableId } from "../../../core/schema.ts";
import type { MigrationType } from "../../../core/source.ts";
import { describe, listTables } from "../catalog/catalog.ts";
import { connect } from "../connection/connection.ts";
import { parseUrl } from "../url.ts";
import { type AssessmentOptions, assessSource } from "./assess-source.ts";
import { assessTarget } from "./assess-target.ts";

const never = new AbortController().signal;
let server: PostgresServer;
/** wal_level replica, one slot, one WAL sender. */
let unfit: PostgresServer;

before(async () => {
  server = await startPostgres();
  unfit = await startPostgres({
    version: 13,
    settings: {
      wal_level: "replica",
      max_replication_slots: 1,
      max_wal_senders: 1,
      max_slot_wal_keep_size: 64,
    },
  });
  await server.query(`
    create role reader login password 'p';
    create role "Odd ""role" login password 'p';
    create role replicator login replication password 'p'`);
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await unfit?.[Symbol.asyncDispose]();
});

interface Run extends AssessmentOptions {
  readonly on?: PostgresServer;
  readonly database: string;
  readonly type?: MigrationType;
  readonly resumes?: boolean;
  readonly movesWhole?: readonly string[];
  readonly role?: string;
  readonly tables?: readonly TableId[];
}

async function assess(run: Run): Promise<Finding[]> {
  const { on = server, database, type = "full-load-and-cdc", resumes = false, role } = run;
  const superuser = parseUrl(on.url(database));
  const options = { side: "source", purpose: "assess test" } as const;
  const catalogs = await connect(superuser, options, never);
  const { tables } = await describe(catalogs, run.tables ?? (await listTables(catalogs)));
  await catalogs.end();
  const user = role === undefined ? superuser : { ...superuser, username: role, password: "p" };
  const client = await connect(user, options, never);
  try {
    return await assessSource(
      client,
      {
        taskId: "t1",
        type,
        tables,
        movesWhole: run.movesWhole,
        movesRights: false,
        movesLargeObjects: false,
        resumes,
      },
      run,
    );
  } finally {
    await client.end();
  }
}

function brief(findings: readonly Finding[]): string[] {
  for (const { remedy, message, subject } of findings) assert.ok(remedy && message && subject);
  return findings.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`).sort();
}

test("a fit database and a superuser give no finding", async () => {
  const database = await server.createDatabase();
  await server.query("create table t (id int primary key)", database);
  assert.deepEqual(await assess({ database }), []);
  assert.deepEqual(await assess({ database, type: "full-load" }), []);
  const empty = await server.createDatabase();
  assert.deepEqual(await assess({ database: empty }), []);
});

test("a server that writes no logical log is an error for cdc and fine for a full load", async () => {
  const database = await unfit.createDatabase();
  await unfit.query("create table t (id int primary key)", database);
  const findings = await assess({ on: unfit, database });
  assert.deepEqual(brief(findings), [
    "error source.wal_level wal_level",
    "info source.log_limit max_slot_wal_keep_size",
    "warning source.no_free_slot max_replication_slots",
    "warning source.no_free_slot max_wal_senders",
  ]);
  assert.match(findings[0]!.remedy, /alter system set wal_level = logical/);
  assert.deepEqual(await assess({ on: unfit, database, type: "full-load" }), []);
});

test("a server without a free slot is an error for a new task and a warning for one that has its slot", async () => {
  const database = await unfit.createDatabase();
  await unfit.query("select pg_create_physical_replication_slot('other')");
  const slot = (findings: readonly Finding[]): string[] =>
    brief(findings).filter((line) => line.includes("max_replication_slots"));
  assert.deepEqual(slot(await assess({ on: unfit, database })), [
    "error source.no_free_slot max_replication_slots",
  ]);
  assert.deepEqual(slot(await assess({ on: unfit, database, resumes: true })), [
    "warning source.no_free_slot max_replication_slots",
  ]);
  await unfit.query("select pg_drop_replication_slot('other')");
});

test("a role without privileges learns each that it lacks, for every table", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table granted (id int primary key); grant select on granted to "Odd ""role";
     create table "De""nied" (id int primary key);
     create schema "hidden away"; create table "hidden away".t (id int primary key)`,
    database,
  );
  const run = { database, role: 'Odd "role' };
  const full = await assess({ ...run, type: "full-load" });
  assert.deepEqual(brief(full), [
    "error source.table_privilege hidden away.t",
    'error source.table_privilege public.De"nied',
  ]);
  assert.deepEqual(
    full.map((finding) => finding.table),
    [
      { schema: "hidden away", name: "t" },
      { schema: "public", name: 'De"nied' },
    ],
  );
  // The remedies are statements that really help.
  for (const { remedy } of full) await server.query(remedy.replace("Run on the source: ", ""), database);
  assert.deepEqual(await assess({ ...run, type: "full-load" }), []);
  const cdc = await assess(run);
  assert.deepEqual(brief(cdc), [
    'error source.privilege Odd "role',
    'error source.privilege Odd "role',
    "error source.table_privilege hidden away.t",
    'error source.table_privilege public.De"nied',
    "error source.table_privilege public.granted",
  ]);
  assert.ok(cdc.some(({ remedy }) => remedy.includes('alter role "Odd ""role" replication')));
  assert.ok(cdc.some(({ remedy }) => remedy.includes("grant create on database")));
  assert.ok(cdc.some(({ message }) => message.includes("does not own")));
});

test("a role that may replicate, create and owns its tables is fit for cdc", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table own (id int primary key); alter table own owner to replicator;
     create table others (id int primary key); grant select on others to replicator;
     grant create on database ${database} to replicator`,
    database,
  );
  const run = { database, role: "replicator" };
  assert.deepEqual(brief(await assess(run)), ["error source.table_privilege public.others"]);
  // A publication that somebody else made for the task is as good as owning the table.
  await server.query("create publication tideway_t1 for table others", database);
  assert.deepEqual(await assess(run), []);
});

test("tables whose changes cannot be captured are errors of their own, for cdc only", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table fine (id int primary key);
     create table keyless (id int);
     create table whole (id int); alter table whole replica identity full;
     create unlogged table fleeting (id int primary key)`,
    database,
  );
  const findings = await assess({ database });
  assert.deepEqual(brief(findings), [
    "error source.no_key public.keyless",
    "error source.not_logged public.fleeting",
  ]);
  assert.deepEqual(await assess({ database, type: "full-load" }), []);
});

test("row level security that would hide rows is an error unless the role is exempt", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table guarded (id int primary key); alter table guarded enable row level security;
     create table own (id int primary key); alter table own enable row level security;
     alter table own owner to reader;
     grant select on guarded to reader`,
    database,
  );
  const run = { database, role: "reader", type: "full-load" } as const;
  assert.deepEqual(brief(await assess(run)), ["error source.row_security public.guarded"]);
  await server.query("alter table own force row level security", database);
  assert.equal((await assess(run)).length, 2);
  assert.deepEqual(await assess({ database, type: "full-load" }), []);
});

test("partitions warn once for their topmost table, and objects that stay behind are told", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table top (a int, b int, primary key (a, b)) partition by range (a);
     create table middle partition of top for values from (0) to (10) partition by range (b);
     create table leaf1 partition of middle for values from (0) to (10);
     create table leaf2 partition of middle for values from (10) to (20);
     create table leaf3 partition of top for values from (10) to (20);
     select lo_create(0);
     create foreign data wrapper none; create server none foreign data wrapper none;
     create foreign table far (id int) server none;
     create view seen as select a from top; create materialized view kept as select b from top;
     create function f() returns trigger language plpgsql as 'begin return new; end';
     create trigger fires after insert on leaf1 for each row execute function f();
     create type pair as (a int, b int); create type span as range (subtype = int);
     create extension citext; create schema other; create view other.unseen as select 1`,
    database,
  );
  const findings = await assess({ database, type: "full-load" });
  assert.deepEqual(brief(findings), [
    "warning source.not_moved composite types",
    "warning source.not_moved foreign servers and their user mappings",
    "warning source.not_moved foreign tables",
    "warning source.not_moved foreign-data wrappers",
    "warning source.not_moved functions and procedures",
    "warning source.not_moved large objects",
    "warning source.not_moved materialized views",
    "warning source.not_moved range types",
    "warning source.not_moved triggers",
    "warning source.not_moved views",
    "warning source.partitioned public.top",
  ]);
  const messages = findings.map((found) => found.message);
  assert.ok(messages.some((message) => /its 3 selected partitions/.test(message)));
  assert.ok(messages.includes("Views are not moved: 1 (public.seen)."), messages.join("\n"));
  assert.ok(messages.includes("Triggers are not moved: 1 (public.leaf1.fires)."), messages.join("\n"));
});

test("a transaction that has been writing for long and a prepared one are warned of", async () => {
  const database = await server.createDatabase();
  await server.query("create table t (id int primary key)", database);
  const writer = await server.connect(database);
  const reader = await server.connect(database);
  const preparer = await server.connect(database);
  try {
    await writer.query("begin; insert into t values (1)");
    await reader.query("begin; select * from t");
    await preparer.query("begin; insert into t values (2); prepare transaction 'half way'");
    const pid = (await writer.query("select pg_backend_pid() as pid")).rows[0].pid;
    assert.deepEqual(await assess({ database }), []);
    assert.deepEqual(brief(await assess({ database, longTransactionSeconds: 0 })), [
      "warning source.long_transaction prepared transaction half way",
      `warning source.long_transaction session ${pid} of postgres`,
    ]);
    assert.deepEqual(await assess({ database, longTransactionSeconds: 0, resumes: true }), []);
  } finally {
    await preparer.query("rollback prepared 'half way'");
    for (const client of [writer, reader, preparer]) await client.end();
  }
});

test("2,000 tables are assessed in a second or two", async () => {
  const database = await server.createDatabase();
  for (let part = 0; part < 4; part++) {
    await server.query(
      `do $$ begin for i in ${part * 500 + 1}..${part * 500 + 500} loop
         execute format('create table t%s (id int)', i); end loop; end $$`,
      database,
    );
  }
  const tables = Array.from({ length: 2000 }, (_, i) => ({
    id: { schema: "public", name: `t${i + 1}` },
    columns: [],
    key: [],
    rowIdentity: "none" as const,
    indexes: [],
    checks: [],
    foreignKeys: [],
    estimatedRows: 0,
    estimatedBytes: 0,
  }));
  const client = await connect(parseUrl(server.url(database)), { side: "source", purpose: "test" }, never);
  const start = performance.now();
  const findings = await assessSource(client, {
    taskId: "t1",
    type: "cdc",
    tables,
    movesWhole: undefined,
    movesRights: false,
    movesLargeObjects: false,
    resumes: false,
  });
  const elapsed = performance.now() - start;
  await client.end();
  assert.equal(findings.length, 2000);
  assert.ok(elapsed < 10_000, `${elapsed} ms`);
});

test("a standby is an error for cdc and a warning for a full load", async () => {
  await using standby = await startPostgres();
  await standby.query("create table t (id int primary key)");
  await standby.stop();
  await writeFile(join(standby.directory, "data", "standby.signal"), "");
  await standby.start();
  const database = "postgres";
  assert.deepEqual(brief(await assess({ on: standby, database })), ["error source.standby postgres"]);
  assert.deepEqual(brief(await assess({ on: standby, database, type: "full-load" })), [
    "warning source.standby postgres",
  ]);
  const client = await connect(parseUrl(standby.url()), { side: "target", purpose: "test" }, never);
  const plan = planFor(await describe(client, await listTables(client)));
  const found = await assessTarget(client, { plan, mode: "truncate", prepared: new Set() });
  await client.end();
  assert.ok(brief(found).includes("error target.read_only postgres"));
});

for (const version of [12, 14, 16, 17]) {
  test(`version ${version} answers every question`, async () => {
    await using old = await startPostgres({ version });
    await old.query("create table t (id int primary key)");
    assert.deepEqual(await assess({ on: old, database: "postgres", longTransactionSeconds: 0 }), []);
  });
}
