import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { planFor, planOf } from "../../../../test/support/schema-plan.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Finding } from "../../../core/finding.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import type { MigrationPlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import type { PrepareMode } from "../../../core/target.ts";
import { connect } from "../connection/connection.ts";
import { PostgresTarget } from "../target.ts";
import { parseUrl } from "../url.ts";
import { assessTarget } from "./assess-target.ts";

const never = new AbortController().signal;
let server: PostgresServer;

before(async () => {
  server = await startPostgres();
  await server.query("create role writer login password 'p'; create role owner login password 'p'");
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function assess(
  endpoint: EndpointConfig,
  plan: MigrationPlan,
  mode: PrepareMode,
  prepared: ReadonlySet<string> = new Set(),
): Promise<Finding[]> {
  const client = await connect(endpoint, { side: "target", purpose: "test" }, never);
  try {
    return await assessTarget(client, { plan, mode, prepared });
  } finally {
    await client.end();
  }
}

function as(database: string, role?: string): EndpointConfig {
  const endpoint = parseUrl(server.url(database));
  return role === undefined ? endpoint : { ...endpoint, username: role, password: "p" };
}

function brief(findings: readonly Finding[]): string[] {
  for (const { remedy, message, subject } of findings) assert.ok(remedy && message && subject);
  return findings.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`).sort();
}

test("an empty target and a superuser give no finding", async () => {
  const plan = await planOf(server, "create schema s; create table s.t (id int primary key)");
  for (const mode of ["do-nothing", "drop-and-create", "truncate"] as const) {
    assert.deepEqual(await assess(as(await server.createDatabase()), plan, mode), []);
  }
});

test("a target that takes no writes is an error", async () => {
  const plan = await planOf(server, "create table t (id int primary key)");
  const database = await server.createDatabase();
  await server.query(`alter database ${database} set default_transaction_read_only = on`);
  assert.deepEqual(brief(await assess(as(database), plan, "do-nothing")), [
    `error target.read_only ${database}`,
  ]);
});

test("an ordinary role learns which schemas it cannot make or use, and that triggers will act", async () => {
  const plan = await planOf(
    server,
    'create schema "new One"; create table "new One".t (id int primary key); create table t (id int primary key)',
  );
  const database = await server.createDatabase();
  await server.query("revoke create on schema public from public", database);
  const findings = await assess(as(database, "writer"), plan, "do-nothing");
  assert.deepEqual(brief(findings), [
    `error target.privilege database ${database}`,
    "error target.privilege schema public",
    "warning target.trigger_privilege writer",
  ]);
  assert.match(findings[0]!.message, /new One/);
  for (const { remedy } of findings)
    await server.query(remedy.replace(/^Run on the target.*?: /, ""), database);
  assert.deepEqual(await assess(as(database, "writer"), plan, "do-nothing"), []);
  await server.query("revoke set on parameter session_replication_role from writer");
});

test("a role that may not keep the task's records is told so, and may once what is told has run", async () => {
  const plan = await planOf(server, "create schema s; create table s.t (id int primary key)");
  const database = await server.createDatabase();
  await server.query(
    "revoke all on schema public from public; create schema s; grant usage, create on schema s to writer",
    database,
  );
  await using target = new PostgresTarget(as(database, "writer"));
  await using others = new PostgresTarget(as(database));
  const mended = async (journal: JournalRequest): Promise<void> => {
    const assess = async (): Promise<readonly Finding[]> => {
      const request = { plan, mode: "do-nothing", prepared: new Set<string>(), journal } as const;
      return (await target.assess(request, never)).filter(({ code }) => code === "target.privilege");
    };
    const [found, ...more] = await assess();
    assert.deepEqual([found?.severity, more], ["error", []]);
    for (const statement of found!.fix!.statements) await server.query(statement, database);
    assert.deepEqual(await assess(), []);
  };
  for (const controlSchema of [undefined, "records"]) {
    const journal = { taskId: "records", controlSchema };
    await assert.rejects(target.openJournal(journal, never), { code: "target.privilege" });
    await mended(journal);
    await using _opened = await target.openJournal(journal, never);
  }
  // Here another role has made them, for a task of its own.
  const journal = { taskId: "theirs", controlSchema: "theirs" };
  await using _theirs = await others.openJournal(journal, never);
  await mended({ ...journal, taskId: "ours" });
  const unfit = { taskId: "records", controlSchema: "unfit" };
  await server.query("create schema unfit; create table unfit.awsdms_table_state (id int)", database);
  const told = await target.assess({ plan, mode: "do-nothing", prepared: new Set(), journal: unfit }, never);
  assert.ok(brief(told).includes("error target.control_table unfit.awsdms_table_state"));
});

test("drop-and-create says what it will drop, and what keeps it from that", async () => {
  const plan = await planOf(
    server,
    `create table gone (id int primary key); create table "View'd" (id int primary key);
     create table referred (id int primary key); create table child (id int primary key references referred);
     create table outside (id int primary key); create table fresh (id int primary key)`,
  );
  const database = await server.createDatabase();
  await server.query(
    `create table gone (id int primary key); insert into gone select generate_series(1, 1000); analyze gone;
     create table "View'd" (id int); create view looks as select * from "View'd";
     create table referred (id int primary key); create table child (id int references referred);
     create table outside (id int primary key); create table stranger (id int references outside)`,
    database,
  );
  const findings = await assess(as(database), plan, "drop-and-create");
  assert.deepEqual(brief(findings), [
    "error target.table_in_use public.View'd",
    "error target.table_in_use public.outside",
    "info target.table_dropped public.child",
    "info target.table_dropped public.gone",
    "info target.table_dropped public.referred",
  ]);
  const text = JSON.stringify(findings);
  assert.match(text, /public\.looks/);
  assert.match(text, /public\.stranger/);
  assert.match(text, /about 1000 rows/);
});

test("a table of somebody else can be neither dropped nor written without a grant", async () => {
  const plan = await planOf(server, "create table t (id int primary key)");
  const database = await server.createDatabase();
  await server.query("create table t (id int primary key); alter table t owner to owner", database);
  const target = as(database, "writer");
  const codes = async (mode: PrepareMode): Promise<string[]> =>
    brief(await assess(target, plan, mode)).filter((line) => !line.includes("trigger_privilege"));
  assert.deepEqual(await codes("drop-and-create"), ["error target.object_failed public.t"]);
  assert.deepEqual(await codes("do-nothing"), ["error load.rejected public.t"]);
  await server.query("grant insert on t to writer", database);
  assert.deepEqual(await codes("do-nothing"), ["warning target.privilege public.t"]);
  assert.deepEqual(await codes("truncate"), ["error load.rejected public.t"]);
  await server.query("grant select, update, delete, truncate on t to writer", database);
  assert.deepEqual(await codes("truncate"), ["info target.table_dropped public.t"]);
});

test("a kept table that cannot take the source's rows is an error, with the columns' names", async () => {
  const plan = await planOf(
    server,
    `create table lacks (id int primary key, "Note" text); create table asks (id int primary key);
     create table fits (id int primary key); create table a_view (id int primary key)`,
  );
  const database = await server.createDatabase();
  await server.query(
    `create table lacks (id int primary key, note text); create table asks (id int primary key, more int not null);
     create table fits (id int primary key, extra int not null default 1, free text, g int generated always as identity);
     create view a_view as select 1 as id`,
    database,
  );
  for (const mode of ["do-nothing", "truncate"] as const) {
    const findings = await assess(as(database), plan, mode);
    assert.deepEqual(
      brief(findings).filter((line) => line.startsWith("error")),
      [
        "error target.table_mismatch public.a_view",
        "error target.table_mismatch public.asks",
        "error target.table_mismatch public.lacks",
      ],
    );
    assert.match(JSON.stringify(findings), /lacks the column Note/);
    assert.match(JSON.stringify(findings), /requires the column more/);
  }
  const dropping = brief(await assess(as(database), plan, "drop-and-create"));
  assert.ok(dropping.includes("error target.table_mismatch public.a_view"));
});

test("triggers that act on what is written are told until they are disabled", async () => {
  const plan = await planOf(server, "create table t (id int primary key)");
  const database = await server.createDatabase();
  await server.query(
    `create table t (id int primary key);
     create function f() returns trigger language plpgsql as 'begin return new; end';
     create trigger usual before insert on t for each row execute function f();
     create trigger "Al ways" before insert on t for each row execute function f();
     alter table t enable always trigger "Al ways"; grant all on t to writer; grant all on schema public to writer`,
    database,
  );
  const told = async (role?: string): Promise<readonly Finding[]> =>
    (await assess(as(database, role), plan, "do-nothing")).filter(({ code }) => code === "target.triggers");
  assert.match((await told())[0]!.message, / is loaded and applied: Al ways\.$/);
  const [both] = await told("writer");
  assert.match(both!.message, /: Al ways, usual\.$/);
  await server.query(both!.fix!.statements.join(""), database);
  assert.deepEqual([...(await told()), ...(await told("writer"))], []);
});

test("extensions that the target will lack are told, with the statement where one helps", async () => {
  const plan = await planOf(server, "create table t (id int primary key)");
  const extension = (name: string, native: string): MigrationPlan["target"]["objects"][number] => ({
    ...{
      kind: "extension",
      id: { schema: "public", name },
      stage: "before-tables",
      native: [native],
      needs: [],
    },
  });
  const objects = [
    extension("citext", "create extension citext"),
    extension("file_fdw", "create extension file_fdw"),
    extension("nowhere", "create extension nowhere"),
  ];
  const needing = { ...plan, target: { ...plan.target, objects } };
  const database = await server.createDatabase();
  await server.query(`grant create on database ${database} to writer`);
  const told = async (role?: string): Promise<readonly Finding[]> =>
    (await assess(as(database, role), needing, "do-nothing")).filter(
      ({ code }) => code === "target.extension_missing",
    );
  assert.deepEqual(brief(await told()), ["warning target.extension_missing nowhere"]);
  const [fdw, nowhere] = await told("writer");
  assert.deepEqual([fdw?.subject, nowhere?.subject, nowhere?.fix], ["file_fdw", "nowhere", undefined]);
  await server.query(fdw!.fix!.statements.join(""), database);
  assert.deepEqual(brief(await told("writer")), ["warning target.extension_missing nowhere"]);
});

test("findings about a table name the source's id under whatever name it has on the target", async () => {
  const plan = await planOf(server, "create table t (id int primary key)");
  const renamed = planFor(plan.target, { table: (name) => `${name}_copy` });
  const database = await server.createDatabase();
  await server.query("create table t_copy (other int)", database);
  const [found] = await assess(as(database), renamed, "do-nothing");
  assert.equal(found!.subject, "public.t_copy");
  assert.deepEqual(found!.table, { schema: "public", name: "t" });
});

test("a target whose encoding is not UTF8 is warned of", async () => {
  const plan = await planOf(server, "create table t (id int primary key)");
  await server.query("create database latin encoding 'LATIN1' template template0");
  assert.deepEqual(brief(await assess(as("latin"), plan, "do-nothing")), ["warning target.encoding latin"]);
});

test("a table that the task has prepared is kept whatever the mode, and the others are not", async () => {
  const plan = await planOf(server, "create table s (id int); create table t (id int)");
  const database = await server.createDatabase();
  await server.query("create table s (other int); create table t (other int)", database);
  const prepared = new Set([tableKey({ schema: "public", name: "s" })]);
  assert.deepEqual(brief(await assess(as(database), plan, "drop-and-create", prepared)), [
    "error target.table_mismatch public.s",
    "info target.table_dropped public.t",
  ]);
});

test("assessing changes nothing and leaves no transaction open", async () => {
  const plan = await planOf(server, "create schema s; create table s.t (id int primary key)");
  const database = await server.createDatabase();
  const client = await connect(as(database), { side: "target", purpose: "test" }, never);
  await assessTarget(client, { plan, mode: "drop-and-create", prepared: new Set() });
  const { rows } = await client.query(`select current_setting('session_replication_role') as role,
    (select count(*) from pg_namespace where nspname = 's') as schemas`);
  assert.deepEqual({ ...rows[0] }, { role: "origin", schemas: "0" });
  assert.equal(client.getTransactionStatus(), "I");
  await client.end();
});

for (const version of [12, 15]) {
  test(`version ${version} answers every question`, async () => {
    const plan = await planOf(server, "create table t (id int primary key)");
    await using old = await startPostgres({ version });
    await old.query("create table t (id int primary key)");
    const findings = await assess(parseUrl(old.url()), plan, "drop-and-create");
    assert.deepEqual(brief(findings), ["info target.table_dropped public.t"]);
  });
}
