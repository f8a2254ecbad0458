import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CommandResult, tideway } from "../../test/support/command-line.ts";
import { type MysqlServer, startMysql } from "../../test/support/mysql-server.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";

let mariadb: MysqlServer;
let mysql: MysqlServer;
let postgres: PostgresServer;
let directory: string;
before(async () => {
  [mariadb, mysql, postgres] = await Promise.all([
    startMysql({ flavour: "mariadb" }),
    startMysql({ flavour: "mysql" }),
    startPostgres(),
  ]);
  directory = await mkdtemp(join(tmpdir(), "tideway-cli-"));
});
after(async () => {
  await Promise.all([mariadb, mysql, postgres].map((server) => server?.[Symbol.asyncDispose]()));
  await rm(directory, { recursive: true, force: true });
});

const TABLES = `create table a (id int primary key, t varchar(30)); create table b (id int primary key, t varchar(30));
  insert into a values (1, 'ä'), (2, null); insert into b values (7, 'tab\t')`;

const ROWS = "select id, t from a union all select id, t from b order by 1";
const EXPECTED = [
  ["1", "ä"],
  ["2", null],
  ["7", "tab\t"],
];

function migrate(...words: readonly string[]): Promise<CommandResult> {
  return tideway(["migrate", ...words, "--data-dir", directory]);
}

function assertDone(result: CommandResult): void {
  assert.equal(result.code, 0, `${result.stdout}${result.stderr}`);
  assert.match(result.stdout, /Full load: 2 of 2 tables, 3 rows/);
}

function values(rows: readonly Record<string, unknown>[]): unknown[] {
  return rows.map(({ id, t }) => [String(id), t]);
}

test("a database that a MySQL URL names becomes a schema of a PostgreSQL database", async () => {
  for (const server of [mariadb, mysql]) {
    const from = await server.createDatabase("shop");
    const to = await postgres.createDatabase("target");
    await server.query(TABLES, from);
    assertDone(await migrate(server.url(from), postgres.url(to)));
    assert.deepEqual(values(await postgres.query(`set search_path = "${from}"; ${ROWS}`, to)), EXPECTED);
  }
});

test("what comes from PostgreSQL goes to the database that the target's URL names", async () => {
  for (const server of [mariadb, mysql]) {
    const from = await postgres.createDatabase("source");
    const to = await server.createDatabase("shop");
    await postgres.query(TABLES, from);
    assertDone(await migrate(postgres.url(from), server.url(to)));
    assert.deepEqual(values(await server.query(ROWS, to)), EXPECTED);
  }
});

test("without a database in the target's URL each schema is a database of its own", async () => {
  const from = await mariadb.createDatabase("own");
  await mariadb.query(TABLES, from);
  assertDone(await migrate(mariadb.url(from), mysql.url()));
  assert.deepEqual(values(await mysql.query(ROWS, from)), EXPECTED);
});

test("changes are applied until the target has all of them, by the same command again", async () => {
  const from = await mysql.createDatabase("changes");
  const to = await postgres.createDatabase("target");
  await mysql.query(TABLES, from);
  const words = [mysql.url(from), postgres.url(to), "--type", "full-load-and-cdc", "--until-caught-up"];
  const first = await migrate(...words);
  assert.equal(first.code, 0, `${first.stdout}${first.stderr}`);
  await mysql.query(
    "update a set t = 'later' where id = 2; delete from b; insert into b values (8, '')",
    from,
  );
  const second = await migrate(...words);
  assert.equal(second.code, 0, `${second.stdout}${second.stderr}`);
  assert.deepEqual(values(await postgres.query(`set search_path = "${from}"; ${ROWS}`, to)), [
    ["1", "ä"],
    ["2", "later"],
    ["8", ""],
  ]);
  const ended = await migrate(...words.slice(0, 4), "--end");
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
});

test("a server is not loaded into itself, whatever databases the URLs name", async () => {
  const result = await migrate(mariadb.url("one"), mariadb.url("other").replace("mariadb:", "mysql:"));
  assert.equal(result.code, 2);
  assert.match(result.stderr, /usage\.invalid: Source and target are the same server/);
});
