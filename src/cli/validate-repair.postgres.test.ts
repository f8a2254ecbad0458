import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tidewayHere } from "../../test/support/command-line.ts";
import { endpointOf } from "../../test/support/endpoint.ts";
import { armingOf, killsIn } from "../../test/support/kills.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { runByClient } from "../../test/support/repair.ts";
import { runProgram } from "../../test/support/run-program.ts";
import { serverOfFile } from "../../test/support/server-pair.ts";

const server = await serverOfFile(startPostgres());
const directory = await mkdtemp(join(tmpdir(), "tideway-repair-"));
after(() => rm(directory, { recursive: true, force: true }));

/**
 * Two databases whose rows differ in each way, as foreign keys, a trigger that would act, and a mask of rules come in. Who holds
 * what is told by the oracle: both queried as they are.
 */
const tables = `
  create table parent (id int primary key, word text, code text unique);
  create table child (id int generated always as identity primary key, parent int references parent on delete cascade, word text);
  create table bag (n int, word text, data json);
  insert into parent select i, E'it''s a \\\\ "word"\r\n$1 :name ' || i, 'c' || i from generate_series(1, 1200) i;
  insert into child (parent, word) select i, 'child' from generate_series(1, 1200) i;
  insert into bag select i % 10, 'same', '{"a": [1, 2]}' from generate_series(1, 40) i`;

const damage = `
  delete from parent where id between 10 and 19;
  update parent set word = 'secret' where id between 30 and 39;
  update parent set code = 'x' where id = 50; update parent set code = 'c50' where id = 51;
  update parent set code = 'c51' where id = 50;
  insert into parent values (5000, 'stray', 'stray'); insert into child (parent) values (5000);
  delete from bag where n = 3; insert into bag values (4, 'same', '{"a": [1, 2]}'), (null, null, null), (null, null, null)`;

const CONTENT = [
  "select * from parent order by id",
  "select * from child order by id",
  "select n, word, data::text, count(*) from bag group by 1, 2, 3 order by 1, 2, 3",
];

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly args: readonly string[];
}

async function pair(): Promise<Pair> {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  for (const database of [from, to]) await server.query(tables, database);
  await server.query(damage, to);
  return { from, to, args: ["validate", "--settle", "0", server.url(from), server.url(to)] };
}

async function assertSame({ from, to }: Pair): Promise<void> {
  for (const sql of CONTENT) {
    assert.deepEqual(await server.query(sql, to), await server.query(sql, from));
  }
}

test("a file of statements repairs the target, and nobody else can read it", async () => {
  const databases = await pair();
  const file = join(directory, "repair.sql");
  const { code, stdout, stderr } = await tidewayHere(...databases.args, "--repair", file);
  assert.equal(code, 3, stderr);
  assert.match(stdout, /^repair +public\.parent +10 rows to insert, 12 rows to update, 1 row to delete$/m);
  assert.match(stdout, /^repair +public\.bag +4 rows to insert, 3 rows to delete$/m);
  assert.match(stdout, /repair\.sql has what repairs 3 tables\.$/m);
  assert.doesNotMatch(stdout, /secret/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(directory), ["repair.sql"]);
  const sql = await readFile(file);
  assert.match(sql.toString(), /^-- public\.child: rows to insert 10, to update 0, to delete 1$/m);
  await runByClient(endpointOf(server, databases.to), sql);
  const after = await tidewayHere(...databases.args);
  assert.equal(after.code, 0, after.stdout);
  await assertSame(databases);
});

test("--repair=apply tells what it would do, does it with --yes, and compares again", async () => {
  const databases = await pair();
  const { args, to } = databases;
  const asked = await tidewayHere(...args, "--repair=apply");
  assert.equal(asked.code, 3, asked.stderr);
  assert.match(
    asked.stdout,
    /^Nothing has been changed\. With --yes what repairs 3 tables is carried out\.$/m,
  );
  assert.equal((await server.query("select from parent where id = 10", to)).length, 0);

  const report = join(directory, "repaired.json");
  const done = await tidewayHere(...args, "--repair=apply", "--yes", "--json", "--report", report);
  assert.equal(done.code, 0, done.stdout);
  const events = done.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const repaired = events.filter(({ event }) => event === "repaired");
  assert.deepEqual(repaired.map(({ name, done: count, refused }) => `${name} ${count} ${refused}`).sort(), [
    "bag 7 0",
    "child 11 0",
    "parent 25 0",
  ]);
  assert.deepEqual(events.at(-1).verdicts, { equal: 3 });
  assert.equal(events.at(-1).differences, 0);
  const { differences, differencesAfterRepair, isEqual } = JSON.parse(await readFile(report, "utf8"));
  assert.deepEqual([differences.length > 30, differencesAfterRepair, isEqual], [true, [], true]);
  await assertSame(databases);
});

test("what the target refuses is told by its code, and the rest is repaired", async () => {
  const databases = await pair();
  await server.query(
    "alter table parent add constraint short check (length(word) < 40 and id <> 12) not valid",
    databases.to,
  );
  const { code, stdout } = await tidewayHere(...databases.args, "--repair=apply", "--yes");
  assert.equal(code, 3);
  assert.match(stdout, /^refused +public\.parent +1 statement refused: apply\.[a-z_]+ \(23514\)$/m);
  assert.match(stdout, /^missing +public\.parent +id=12$/m);
  assert.doesNotMatch(stdout.split("refused")[1]!, /it's|secret/);
});

test("a repair that is killed leaves whole transactions, and another one goes on", async () => {
  const databases = await pair();
  for (const kill of killsIn("repair")) {
    const env = { ...process.env, TIDEWAY_FAILPOINT: armingOf(kill) };
    const main = join(import.meta.dirname, "../../bin/tideway.js");
    const args = [main, ...databases.args, "--repair=apply", "--yes"];
    const killed = await runProgram(process.execPath, args, { env });
    assert.equal(killed.code, null, killed.output);
  }
  const half = await tidewayHere(...databases.args);
  assert.equal(half.code, 3);
  const { code, stdout } = await tidewayHere(...databases.args, "--repair=apply", "--yes");
  assert.equal(code, 0, stdout);
  await assertSame(databases);
});

test("what makes no sense is wrong usage, and leaves no file", async () => {
  const { args } = await pair();
  for (const some of [
    ["--yes"],
    ["--repair=apply", "--resume", join(directory, "x.progress")],
    ["--yes", "--repair", join(directory, "x.sql")],
    ["--repair", "/does/not/exist/x"],
  ]) {
    const { code, stderr } = await tidewayHere(...args, ...some);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^error usage\.invalid: .+\nremedy: .+\n$/);
  }
  assert.equal((await readdir(directory)).includes("x.sql"), false);
});
