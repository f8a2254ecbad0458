import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CommandResult, tideway } from "../../test/support/command-line.ts";
import { type MysqlServer, startMysql } from "../../test/support/mysql-server.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";
import type { Estimate } from "../task/estimate.ts";

let postgres: PostgresServer;
let mariadb: MysqlServer;
let directory: string;
before(async () => {
  [postgres, mariadb] = await Promise.all([
    startPostgres(),
    startMysql({ flavour: "mariadb", settings: { binlog_format: "STATEMENT" } }),
  ]);
  directory = await mkdtemp(join(tmpdir(), "tideway-assess-"));
});
after(async () => {
  await Promise.all([postgres?.[Symbol.asyncDispose](), mariadb?.[Symbol.asyncDispose]()]);
  await rm(directory, { recursive: true, force: true });
});

const HOSTILE = "<img src=x onerror='alert(1)'>";

interface Told {
  readonly verdict: string;
  readonly isBlocked: boolean;
  readonly findings: readonly {
    readonly code: string;
    readonly severity: string;
    readonly subject: string;
    readonly ifIgnored: string;
    readonly docs: string;
  }[];
  readonly tables: readonly { readonly id: { readonly name: string }; readonly isSetAside: boolean }[];
  readonly inventory: readonly unknown[];
  readonly estimate?: Estimate;
}

/** Runs it with --json and both files. */
async function assess(...words: readonly string[]): Promise<CommandResult & { readonly told: Told }> {
  const files = ["--html", join(directory, "report.html"), "--fix", join(directory, "fixes.sql")];
  const result = await tideway(["assess", ...words, ...files, "--json"]);
  assert.match(result.stdout, /^\{/, result.stderr);
  return { ...result, told: JSON.parse(result.stdout) };
}

function brief({ findings }: Told): readonly string[] {
  return findings.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`);
}

/** All that a run of a task would leave on either side. */
const LEFT = `select (select count(*) from pg_replication_slots) + (select count(*) from pg_publication)
  + (select count(*) from pg_namespace where nspname !~ '^pg_') as n`;

test("errors are told, nothing is changed, and the statements of the file of fixes mend them", async () => {
  const [from, to] = [await postgres.createDatabase("shop"), await postgres.createDatabase("target")];
  await postgres.query(
    `create table "${HOSTILE}" (id int primary key, t text);
     create unlogged table cache (k int primary key);
     create table log (what text);
     create view latest as select * from log;
     insert into "${HOSTILE}" select g, repeat('x', 50) from generate_series(1, 5000) g; analyze`,
    from,
  );
  const sides = [postgres.url(from), postgres.url(to)] as const;
  const kept = await Promise.all([from, to].map((name) => postgres.query(LEFT, name)));
  const { code, told } = await assess(...sides, "--type", "full-load-and-cdc", "--watch", "1");
  assert.deepEqual([code, told.verdict, told.isBlocked], [3, "partly", false]);
  assert.deepEqual(brief(told).toSorted(), [
    "error source.no_key public.log",
    "error source.not_logged public.cache",
  ]);
  assert.equal(told.findings[0]!.ifIgnored, "The table is set aside; the others are moved without it.");
  assert.equal(told.findings[0]!.docs, `docs/reference/errors.md#${told.findings[0]!.code}`);
  const aside = told.tables.filter(({ isSetAside }) => isSetAside).map(({ id }) => id.name);
  assert.deepEqual(aside.toSorted(), ["cache", "log"]);
  assert.deepEqual(await Promise.all([from, to].map((name) => postgres.query(LEFT, name))), kept);

  const html = await readFile(join(directory, "report.html"), "utf8");
  assert.ok(html.includes("&lt;img src=x onerror=&#39;alert(1)&#39;&gt;"));
  assert.ok(!html.includes("<img"));
  await postgres.query(await readFile(join(directory, "fixes.sql"), "utf8"), from);
  const again = await assess(...sides, "--type", "full-load-and-cdc", "--no-estimate");
  assert.deepEqual([again.code, again.told.verdict, brief(again.told)], [0, "ready", []]);
});

test("what is estimated is read from the tables and watched at the source", async () => {
  const from = await postgres.createDatabase("measured");
  await postgres.query(
    "create table a (id int primary key, t text); insert into a select g, repeat('x', 90) from generate_series(1, 20000) g; analyze",
    from,
  );
  const writing = new AbortController();
  const written = (async () => {
    for (let id = 20_001; !writing.signal.aborted; id++) {
      await postgres.query(`insert into a values (${id}, 'y')`, from);
    }
  })();
  const { told } = await assess(postgres.url(from), "--type", "cdc", "--watch", "2");
  writing.abort();
  await written;
  const { tables, samples, load, changes, instanceClass } = told.estimate!;
  assert.equal(tables[0]!.id.name, "a");
  assert.ok(samples[0]!.rows >= 20_000 && samples[0]!.bytes > 20_000 * 90, JSON.stringify(samples));
  assert.ok(load!.slowestSeconds > 0 && load!.fastestSeconds < load!.slowestSeconds);
  assert.ok(changes!.logBytesPerSecond! > 0 && changes!.rowsPerSecond! > 0, JSON.stringify(changes));
  assert.equal(instanceClass, "dms.t3.medium");
});

test("a MariaDB source that logs statements is blocked until the statement that mends it was run", async () => {
  const [from, to] = [await mariadb.createDatabase("shop"), await postgres.createDatabase("target")];
  await mariadb.query(
    "create table t (id int primary key, v varchar(20)); insert into t values (1, 'a')",
    from,
  );
  const words = [mariadb.url(from), postgres.url(to), "--type", "full-load-and-cdc", "--watch", "1"];
  const { code, told } = await assess(...words);
  assert.deepEqual([code, told.verdict, told.isBlocked], [3, "blocked", true]);
  assert.ok(brief(told).includes("error source.binary_log_format binlog_format"));
  assert.equal(told.estimate!.samples[0]!.rows, 1);
  const fixes = await readFile(join(directory, "fixes.sql"), "utf8");
  assert.match(fixes, /^-- On the source$/m);
  await mariadb.query(fixes);
  const again = await assess(...words, "--no-estimate");
  assert.deepEqual([again.code, again.told.isBlocked], [0, false], again.stdout);
});

test("a source alone can be assessed, in words for a terminal", async () => {
  const from = await postgres.createDatabase("alone");
  await postgres.query("create table a (id int primary key); create table b (x int)", from);
  const { code, stdout, stderr } = await tideway(["assess", postgres.url(from)]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /PostgreSQL 18\S*, full-load\n/);
  assert.match(stdout, /0 errors, 0 warnings, 0 infos\. Complexity A: /);
  assert.match(stdout, /A task can start: 2 tables would be moved\.\n$/);
});

test("words that make no sense are refused before anything is asked", async () => {
  const url = postgres.url();
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [
      [url, "--watch", "0"],
      /'--watch <seconds>' argument '0' is invalid\. It is a whole number from 1 to 3600\./,
    ],
    [[url, url], /Source and target are the same database/],
    [
      [url, "--mappings", "x.json", "--include", "a.*"],
      /--mappings and --include\/--exclude exclude each other/,
    ],
    [
      [url, "--no-estimate", "--html", join(directory, "none", "x.html")],
      /of --html cannot be written \(ENOENT\)/,
    ],
  ];
  for (const [words, message] of wrong) {
    const { code, stdout, stderr } = await tideway(["assess", ...words]);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, message);
  }
});
