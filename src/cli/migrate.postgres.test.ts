import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CommandLine, type CommandResult, tideway } from "../../test/support/command-line.ts";
import { compareDatabases, describeComparison } from "../../test/support/compare.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";

let server: PostgresServer;
let directory: string;
before(async () => {
  server = await startPostgres();
  directory = await mkdtemp(join(tmpdir(), "tideway-cli-"));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

interface Pair {
  readonly source: string;
  readonly target: string;
  /** Arguments of `tideway migrate` for the two databases. */
  readonly args: readonly string[];
}

const TABLES = `create table a (id int primary key, t text); create table b (id int primary key, t text);
  insert into a select i, 'a' || i from generate_series(1, 1000) i;
  insert into b select i, 'b' || i from generate_series(1, 1000) i`;

async function pair(sql = TABLES): Promise<Pair> {
  const source = await server.createDatabase("source");
  const target = await server.createDatabase("target");
  await server.query(sql, source);
  return {
    source,
    target,
    args: ["migrate", server.url(source), server.url(target), "--data-dir", directory],
  };
}

async function assertEqual({ source, target }: Pair): Promise<void> {
  const clients = { source: await server.connect(source), target: await server.connect(target) };
  const result = await compareDatabases(clients);
  await Promise.all([clients.source.end(), clients.target.end()]);
  assert.equal(result.equal, true, describeComparison(result));
}

function slots(source: string): Promise<unknown[]> {
  return server.query(`select slot_name from pg_replication_slots where database = '${source}'`);
}

function events(result: CommandResult): Record<string, unknown>[] {
  return result.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const isPhase = (phase: string) => (line: string) => JSON.parse(line).phase === phase;

test("a full load moves the tables, says how many rows, and starts afresh the next time", async () => {
  const both = await pair();
  const result = await tideway(both.args);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /Full load: 2 of 2 tables, 2,000 rows in .* rows\/s\)\.\nDone\.\n$/);
  assert.equal(result.stderr, "");
  await assertEqual(both);
  await server.query("update a set t = 'other' where id = 1", both.source);
  const again = await tideway(both.args);
  assert.equal(again.code, 0, again.stderr);
  assert.doesNotMatch(again.stdout, /Resuming/);
  await assertEqual(both);
});

test("include and exclude choose the tables", async () => {
  const both = await pair(`${TABLES}; create schema other; create table other.c (id int primary key)`);
  const result = await tideway([...both.args, "--include", "public.*", "--exclude", "*.b"]);
  assert.equal(result.code, 0, result.stderr);
  const tables = await server.query(
    "select relname from pg_stat_user_tables where relname !~ '^awsdms_' order by 1",
    both.target,
  );
  assert.deepEqual(tables, [{ relname: "a" }]);
});

test("replication is stopped by Ctrl-C with exit code 0, resumed by the same command, ended by --end", async () => {
  const both = await pair();
  const args = [...both.args, "--type", "full-load-and-cdc", "--json"];
  {
    await using running = new CommandLine(args);
    await running.line(isPhase("replicating"));
    await server.query("insert into a values (-1, 'while it runs')", both.source);
    running.kill("SIGINT");
    const result = await running.result;
    assert.equal(result.code, 0, result.stderr);
    assert.equal(events(result).at(-1)?.["event"], "outcome");
  }
  assert.equal((await slots(both.source)).length, 1);
  await server.query("update a set id = -2 where id = 2; delete from b where id < 10", both.source);
  const resumed = await tideway([...args, "--until-caught-up"]);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(events(resumed)[0]?.["start"], "resume-processing");
  await assertEqual(both);
  const ended = await tideway([...both.args, "--type", "full-load-and-cdc", "--end"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /replication slot and publication/);
  assert.deepEqual(await slots(both.source), []);
  assert.deepEqual(await server.query("select 1 from pg_publication", both.source), []);
  await assertEqual(both);
});

test("a full load that is stopped half-way exits with 1, and the same command finishes it", async () => {
  const both = await pair();
  // Rows of b wait on the target for a lock that this test holds.
  await server.query(
    `create function hold() returns boolean language plpgsql as
       'begin perform pg_advisory_xact_lock_shared(42); return true; end';
     create table a (id int primary key, t text);
     create table b (id int primary key, t text, check (hold()))`,
    both.target,
  );
  const blocker = await server.connect(both.target);
  await blocker.query("select pg_advisory_lock(42)");
  const args = [...both.args, "--prep-mode", "truncate"];
  await using running = new CommandLine([...args, "--json"]);
  await running.line((line) => line.includes('"name":"a"') && line.includes("Table completed"));
  running.kill("SIGINT");
  const stopped = await running.result;
  assert.equal(stopped.code, 1, stopped.stderr);
  assert.equal(events(stopped).at(-1)?.["stopReason"], "NORMAL");
  await blocker.end();
  // A table that is loaded is not read again: what the target has lost since stays lost.
  await server.query("delete from a where id = 500", both.target);
  const resumed = await tideway(args);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stdout, /Resuming the earlier run/);
  const [left] = await server.query(
    "select (select count(*) from a)::int as a, (select count(*) from b)::int as b",
    both.target,
  );
  assert.deepEqual(left, { a: 999, b: 1000 });
});

test("--fresh loads everything again", async () => {
  const both = await pair();
  const args = [...both.args, "--type", "full-load-and-cdc", "--until-caught-up"];
  assert.equal((await tideway(args)).code, 0);
  await server.query("delete from a", both.target);
  const result = await tideway([...args, "--fresh"]);
  assert.equal(result.code, 0, result.stderr);
  await assertEqual(both);
  await tideway([...args, "--end"]);
  assert.deepEqual(await slots(both.source), []);
});

test("rows that the target refuses give exit code 3, and are told and recorded", async () => {
  const both = await pair();
  await server.query("create table a (id int primary key check (id > 2), t text)", both.target);
  const result = await tideway([...both.args, "--include", "public.a", "--prep-mode", "do-nothing"]);
  assert.equal(result.code, 3, result.stderr);
  assert.match(result.stdout, /2 rows were left out: the target refuses them/);
  assert.match(result.stdout + result.stderr, /apply\.rows_left_out/);
  const left = await server.query(
    `select "STATEMENT" as s from awsdms_apply_exceptions order by 1`,
    both.target,
  );
  assert.deepEqual(
    left.map(({ s }) => s),
    [1, 2].map((id) => `insert into "public"."a" {"key":{"id":"${id}"}}`),
  );
});

test("a foreign key that a filter breaks is told before and after, and gives exit code 3", async () => {
  const both = await pair();
  await server.query(
    "create table child (id int primary key, a_id int references a); insert into child select i, i from generate_series(1, 9) i",
    both.source,
  );
  const select = (id: number, table: string, filters: readonly object[]): object => ({
    ...{ "rule-type": "selection", "rule-id": id, "rule-name": `${id}`, "rule-action": "include", filters },
    "object-locator": { "schema-name": "public", "table-name": table },
  });
  const conditions = [{ "filter-operator": "gte", value: "5" }];
  const filter = { "filter-type": "source", "column-name": "id", "filter-conditions": conditions };
  const mappings = join(directory, "broken.json");
  await writeFile(mappings, JSON.stringify({ rules: [select(1, "%", []), select(2, "a", [filter])] }));
  const result = await tideway([...both.args, "--mappings", mappings]);
  assert.equal(result.code, 3, result.stdout);
  assert.match(
    result.stdout + result.stderr,
    /plan\.reference_may_fail: The foreign key .* of public\.child/,
  );
  assert.match(result.stdout, /1 table lacks an index or a constraint/);
  const [rows] = await server.query(
    "select count(*)::int as n, (select min(id) from a) as least from child",
    both.target,
  );
  assert.deepEqual(rows, { n: 9, least: 5 });
});

test("a run that goes on after a kill still tells of rows that were left out before", async () => {
  const both = await pair();
  await server.query("create table a (id int primary key check (id > 2), t text)", both.target);
  const args = [...both.args, "--type", "full-load-and-cdc", "--include", "public.a"];
  {
    await using running = new CommandLine([...args, "--prep-mode", "do-nothing", "--json"]);
    await running.line(isPhase("replicating"));
    running.kill("SIGKILL");
    await running.result;
  }
  const resumed = await tideway([...args, "--prep-mode", "do-nothing", "--until-caught-up"]);
  assert.equal(resumed.code, 3, resumed.stderr);
  assert.match(resumed.stdout, /Resuming the earlier run/);
  assert.match(resumed.stdout, /2 rows were left out: the target refuses them/);
  await tideway([...args, "--end"]);
});

test("tables that are set aside give exit code 3 and their errors", async () => {
  const both = await pair();
  await server.query("create table a (id int primary key, other text not null)", both.target);
  const result = await tideway([...both.args, "--prep-mode", "do-nothing"]);
  assert.equal(result.code, 3, result.stderr);
  assert.match(result.stderr, /table public\.a was set aside:\n {2}error [a-z_.]+: .*\n {2}remedy: /);
  assert.match(result.stdout, /1 table was set aside/);
});

test("a wrong password is a failure that can simply be tried again", async () => {
  const both = await pair();
  const [command, source, target, ...rest] = both.args;
  const wrong = target!.replace(server.password, "wrong");
  const failed = await tideway([command!, source!, wrong, ...rest]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^error auth\.failed: .*\nremedy: .*\n$/);
  assert.doesNotMatch(failed.stdout + failed.stderr, /wrong/);
  const result = await tideway(both.args);
  assert.equal(result.code, 0, result.stderr);
  assert.doesNotMatch(result.stdout, /Resuming/);
});

test("a password that the URL lacks comes from the environment", async () => {
  const both = await pair();
  const [command, source, target, ...rest] = both.args;
  const bare = [
    command!,
    source!.replace(`:${server.password}`, ""),
    target!.replace(`:${server.password}`, ""),
    ...rest,
  ];
  const env = { TIDEWAY_SOURCE_PASSWORD: server.password, TIDEWAY_TARGET_PASSWORD: server.password };
  const result = await tideway(bare, { env });
  assert.equal(result.code, 0, result.stderr);
});

test("what makes no sense is wrong usage: exit code 2, nothing touched", async () => {
  const both = await pair();
  const [, source, target] = both.args;
  const mappings = join(directory, "mappings.json");
  await writeFile(mappings, '{"rules": [');
  const wrong: readonly (readonly string[])[] = [
    [],
    ["migrate"],
    ["nonsense"],
    [...both.args, "--nonsense"],
    [...both.args, "--type", "everything"],
    [...both.args, "--include", "no-dot"],
    [...both.args, "--mappings", mappings],
    [...both.args, "--mappings", "/does/not/exist"],
    [...both.args, "--mappings", mappings, "--include", "a.b"],
    [...both.args, "--settings", mappings],
    [...both.args, "--until-caught-up"],
    [...both.args, "--cdc-start-position", "0/1"],
    [...both.args, "--fresh", "--end"],
    ["migrate", source!, source!, "--data-dir", directory],
    ["migrate", "nothing", target!, "--data-dir", directory],
    ["migrate", "mysql://a/b", target!, "--data-dir", directory],
  ];
  for (const args of wrong) {
    const result = await tideway(args);
    assert.equal(result.code, 2, `${args.join(" ")}\n${result.stdout}${result.stderr}`);
    if (args.length > 0) assert.match(result.stderr, /^error [a-z_.]+: .+\nremedy: .+\n$/, args.join(" "));
  }
  assert.deepEqual(await server.query("select relname from pg_stat_user_tables", both.target), []);
});

test("every event of --json is one line with a name and a time", async () => {
  const both = await pair();
  const all = events(await tideway([...both.args, "--json"]));
  for (const event of all) {
    assert.equal(typeof event["event"], "string");
    assert.ok(!Number.isNaN(Date.parse(String(event["at"]))));
  }
  assert.equal(all[0]?.["event"], "started");
  assert.equal(all.at(-1)?.["event"], "outcome");
  assert.equal(all.at(-1)?.["exitCode"], 0);
  assert.equal(all.at(-1)?.["rowsLoaded"], 2000);
  assert.ok(all.some((event) => event["event"] === "progress" && event["phase"] === "full-load"));
});
