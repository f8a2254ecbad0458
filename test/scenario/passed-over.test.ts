import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Finding } from "../../src/core/finding.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import { tideway } from "../support/command-line.ts";
import { endpointOf } from "../support/endpoint.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { assertStopped, runToEnd, schemas, taskSpec } from "../support/task.ts";

/*
 * Errors of the assessment that a task is told to pass over: those that a check misreads, after which all rows come, and those
 * that a server means, which it says itself.
 */

const [postgres, crowded, mariadb] = await Promise.all([
  startPostgres(),
  startPostgres({ settings: { max_active_replication_origins: 1 } }),
  startMysql({ flavour: "mariadb" }),
]);
after(() => Promise.all([postgres, crowded, mariadb].map((server) => server[Symbol.asyncDispose]())));

await postgres.query("create role reader login password 'pw'; create role writer login password 'pw'");
await mariadb.query("create user mover identified by 'pw'; create user reader identified by 'pw'");

function passing(...texts: readonly string[]): string {
  return JSON.stringify({ TidewaySettings: { AssessmentPassOver: texts } });
}

interface Run {
  readonly outcome: TaskOutcome;
  /** "severity code subject" of what was told with a code. */
  readonly told: (code: Finding["code"]) => readonly string[];
}

async function run(
  parts: Pick<TaskSpec, "type" | "source" | "target"> & Partial<TaskSpec>,
  settings: string,
): Promise<Run> {
  const { outcome, findings } = await runToEnd(taskSpec({ ...parts, settings }));
  const told = (wanted: Finding["code"]): readonly string[] =>
    findings
      .filter(({ code }) => code === wanted)
      .map(({ severity, subject, message }) => {
        assert.equal(/This is passed over as told\.$/.test(message), severity === "warning", message);
        return `${severity} ${subject}`;
      });
  return { outcome, told };
}

function aside({ outcome }: Run): readonly string[] {
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  return outcome.progress.tables.flatMap(({ id, error }) =>
    error === undefined ? [] : [`${id.name} ${error.code}`],
  );
}

/** Of a, whose columns alone are granted, the check says less than the server does; of b both say the same. */
async function columnsGranted(): Promise<{ readonly from: string; readonly to: string }> {
  const [from, to] = [await postgres.createDatabase("columns"), await postgres.createDatabase("columns_to")];
  await postgres.query(
    `create schema app; grant usage on schema app to reader;
     create table app.a (id int primary key, t text); create table app.b (id int primary key);
     insert into app.a select i, 'row ' || i from generate_series(1, 500) i; insert into app.b values (1);
     grant select (id, t) on app.a to reader`,
    from,
  );
  return { from, to };
}

const ROWS = "select count(*)::int as n, max(t) as last from app.a";

test("a table is set aside by an error that a check misreads, and comes whole when that is passed over", async () => {
  const { from, to } = await columnsGranted();
  const source = { ...endpointOf(postgres, from), username: "reader", password: "pw" };
  const parts = {
    type: "full-load",
    ...{ source, target: endpointOf(postgres, to), tableMappings: schemas("app") },
  } as const;
  const without = await run(parts, "{}");
  assert.deepEqual(aside(without), ["a source.table_privilege", "b source.table_privilege"]);
  assert.deepEqual(without.told("source.table_privilege"), ["error app.a", "error app.b"]);
  const ofOne = await run(parts, passing("source.table_privilege:app.a", "load.rejected:app.a"));
  assert.deepEqual(aside(ofOne), ["b source.table_privilege"]);
  assert.deepEqual(ofOne.told("source.table_privilege"), ["warning app.a", "error app.b"]);
  assert.deepEqual(await postgres.query(ROWS, to), [{ n: 500, last: "row 99" }]);
  // What is right is said by the server, when it is read.
  const ofAll = await run(parts, passing("source.table_privilege"));
  assert.deepEqual(aside(ofAll), ["b source.table_privilege"]);
  assert.deepEqual(ofAll.told("source.table_privilege"), ["warning app.a", "warning app.b"]);
  assert.match(JSON.stringify(ofAll.outcome.progress.tables), /permission denied/);
  assert.deepEqual(await postgres.query(ROWS, to), [{ n: 500, last: "row 99" }]);
});

test("a task that marks its changes starts where the places for that are counted as taken and are not", async () => {
  const [from, to] = [await postgres.createDatabase("marked"), await crowded.createDatabase("marked_to")];
  await postgres.query(
    "create schema app; create table app.t (id int primary key); insert into app.t select generate_series(1, 300)",
    from,
  );
  // It is named and nobody has ever used it.
  await crowded.query("select pg_replication_origin_create('idle')");
  const parts = {
    type: "full-load-and-cdc",
    ...{ untilCaughtUp: true, tableMappings: schemas("app") },
    ...{ source: endpointOf(postgres, from), target: endpointOf(crowded, to) },
  } as const;
  const loopback = { LoopbackPreventionSettings: { EnableLoopbackPrevention: true } };
  const without = await run(parts, JSON.stringify(loopback));
  assert.equal(without.outcome.error?.code, "target.origin_limit", JSON.stringify(without.outcome.error));
  const { outcome, told } = await run(
    parts,
    JSON.stringify({ ...loopback, ...JSON.parse(passing("target.origin_limit")) }),
  );
  assertStopped(outcome);
  assert.equal(told("target.origin_limit").length, 1);
  assert.deepEqual(await crowded.query("select count(*)::int as n from app.t", to), [{ n: 300 }]);
});

test("what a PostgreSQL server does refuse ends the task then, and nothing has come", async () => {
  const [from, to] = [await postgres.createDatabase("refused"), await postgres.createDatabase("refused_to")];
  await postgres.query(
    `create schema app; create table app.t (id int primary key); insert into app.t values (1);
     grant usage on schema app to reader; grant select on app.t to reader; alter table app.t owner to reader;
     grant create on database ${from} to reader`,
    from,
  );
  const parts = {
    type: "full-load-and-cdc",
    source: { ...endpointOf(postgres, from), username: "reader", password: "pw" },
    target: endpointOf(postgres, to),
    tableMappings: schemas("app"),
  } as const;
  const refused = await run(parts, passing("source.privilege"));
  assert.deepEqual(refused.told("source.privilege"), ["warning reader"]);
  assert.equal(refused.outcome.error?.code, "source.privilege");
  assert.match(refused.outcome.error.message, /WAL sender/);
  const slots = `select from pg_replication_slots where database = '${from}'`;
  assert.equal((await postgres.query(slots)).length, 0);
  const writing = { ...endpointOf(postgres, to), username: "writer", password: "pw" };
  const load = { ...parts, type: "full-load", source: endpointOf(postgres, from), target: writing } as const;
  const unwritten = await run(load, passing("target.privilege"));
  assert.equal(unwritten.outcome.error?.code, "target.privilege", JSON.stringify(unwritten.outcome.error));
  assert.ok(unwritten.told("target.privilege").includes(`warning database ${to}`));
  assert.deepEqual(await postgres.query("select from pg_tables where schemaname = 'app'", to), []);
});

/** The command line for a user who has privileges on one table of the target, and on the schema of the control tables. */
async function tableGranted(): Promise<{ readonly words: readonly string[]; readonly to: string }> {
  const [from, to] = [await postgres.createDatabase("shop"), await mariadb.createDatabase("shop_to")];
  const control = `${to}_control`;
  await postgres.query(
    `create table a (id int primary key, t varchar(20)); insert into a values (1, 'one'), (2, 'two')`,
    from,
  );
  await mariadb.query(
    `grant select, insert, update, delete, create, drop, alter, index, references on ${to}.a to mover;
     create database ${control}; grant all on ${control}.* to mover; grant all on awsdms_control.* to mover`,
  );
  const target = mariadb.url(to).replace(/:\/\/[^@]+@/, "://mover:pw@");
  return { words: [postgres.url(from), target], to };
}

test("a start into MariaDB that grants on single tables stop goes on when it is told to, and loads all rows", async () => {
  const { words, to } = await tableGranted();
  const options = ["--pass-over", `target.privilege:database ${to}`];
  const assessed = await tideway(["assess", ...words, "--no-estimate"]);
  assert.equal(assessed.code, 3, assessed.stderr);
  assert.match(assessed.stdout, /A task would not start: 1 error/);
  const told = await tideway(["assess", ...words, "--no-estimate", ...options]);
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /warning target\.privilege\n.*This is passed over as told\.\n/);
  assert.match(
    told.stdout,
    /Else: The task starts all the same; if what this is about is refused then, the task ends\./,
  );
  const migrate = ["migrate", ...words, "--fresh"];
  const without = await tideway(migrate);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /target\.privilege/);
  const moved = await tideway([...migrate, ...options]);
  assert.equal(moved.code, 0, `${moved.stdout}${moved.stderr}`);
  assert.match(moved.stdout, /This is passed over as told\./);
  assert.deepEqual(await mariadb.query("select id, t from a order by id", to), [
    { id: "1", t: "one" },
    { id: "2", t: "two" },
  ]);
  const refused = await tideway([...migrate, "--pass-over", "target.table_mismatch"]);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /target\.table_mismatch, which cannot be passed over: The table on the target/,
  );
});

test("what a MariaDB server does refuse ends the task then", async () => {
  const from = await mariadb.createDatabase("refused");
  const to = await postgres.createDatabase("refused_to");
  await mariadb.query("create table t (id int primary key); insert into t values (1)", from);
  await mariadb.query(`grant select, reload on *.* to reader; grant replication client on *.* to reader`);
  const { outcome, told } = await run(
    {
      type: "full-load-and-cdc",
      source: { ...mariadb.endpoint(from), username: "reader", password: "pw" },
      target: endpointOf(postgres, to),
      tableMappings: schemas(from),
    },
    passing("source.privilege"),
  );
  assert.deepEqual(
    told("source.privilege").filter((one) => !one.startsWith("info")),
    ["warning reader"],
  );
  assert.equal(outcome.state, "failed");
  assert.equal(outcome.error?.code, "source.privilege", JSON.stringify(outcome.error));
});
