import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tidewayHere } from "../../test/support/command-line.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { serverOfFile } from "../../test/support/server-pair.ts";

const server = await serverOfFile(startPostgres());
const directory = await mkdtemp(join(tmpdir(), "tideway-validate-"));
after(() => rm(directory, { recursive: true, force: true }));

/** Two databases with the same tables and rows, and the command that compares them. */
async function pair(): Promise<{ readonly to: string; readonly args: readonly string[] }> {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  for (const database of [from, to]) {
    await server.query(
      `create table a (id int primary key, word text, at timestamptz);
       insert into a select i, 'secret ' || i, now() - i * interval '1 day' from generate_series(1, 300) i;
       update a set at = '2026-01-01 00:00:00+00';
       create table b (word text); insert into b values ('x'), ('x'), (null)`,
      database,
    );
  }
  return { to, args: ["validate", "--settle", "0", server.url(from), server.url(to)] };
}

test("equal databases give exit code 0 and say what was compared", async () => {
  const { args } = await pair();
  const { code, stdout, stderr } = await tidewayHere(...args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^equal +public\.a +300 rows in \d+ s$/m);
  assert.match(stdout, /^equal +public\.b +3 rows in \d+ s$/m);
  assert.match(stdout, /^TABLE +SOURCE ROWS +TARGET ROWS +MISSING +EXTRA +OTHER VALUES +RESULT$/m);
  assert.match(stdout, /^public\.a +300 +300 +0 +0 +0 +equal$/m);
  assert.match(stdout, /^Equal: 2 tables, 303 rows of the source in \d+ s\.$/m);
});

test("values are the same whatever the settings of the databases have servers write of them", async () => {
  const { to, args } = await pair();
  const from = decodeURIComponent(new URL(args.at(-2)!).pathname.slice(1));
  const settings = [
    { database: from, zone: "Europe/Berlin", quotes: "off" },
    { database: to, zone: "Asia/Kolkata", quotes: "on" },
  ];
  for (const { database, zone, quotes } of settings) {
    await server.query(
      `set timezone = 'UTC';
       create type stay as (guest int, since timestamptz);
       create table c (id int primary key, during tstzrange, moments timestamptz[], stay stay, price money);
       insert into c select i, tstzrange('2026-01-01 00:00:00+00', '2026-01-02 00:00:00+00'),
         array['2026-01-01 00:00:00+00'::timestamptz], row(i, '2026-01-01 00:00:00+00')::stay, '12.50'
         from generate_series(1, 10) i;
       alter database ${database} set timezone = '${zone}';
       alter database ${database} set quote_all_identifiers = ${quotes}`,
      database,
    );
  }
  const { code, stdout, stderr } = await tidewayHere(...args);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^equal +public\.c +10 rows in \d+ s$/m);
});

test("differences give exit code 3 and are named by their keys; values are shown when they are asked for", async () => {
  const { to, args } = await pair();
  await server.query(
    `update a set word = 'changed' where id = 17; delete from a where id > 270; insert into b values ('x')`,
    to,
  );
  const { code, stdout } = await tidewayHere(...args);
  assert.equal(code, 3);
  assert.match(stdout, /^differs +public\.a +id=17: word$/m);
  assert.match(stdout, /^extra +public\.b +1 row without a key$/m);
  assert.equal(stdout.match(/^missing +public\.a +id=/gm)?.length ?? 0, 19);
  assert.match(stdout, /^\.\.\. +public\.a +11 more; --report and --json have all of them$/m);
  assert.match(stdout, /^different +public\.a +30 rows missing, 1 row with other values in \d+ s$/m);
  assert.match(stdout, /^Not equal: 2 of 2 tables/m);
  assert.doesNotMatch(stdout, /changed|secret/);

  const page = join(directory, "report.html");
  const shown = await tidewayHere(...args, "--values", "--totals", "--include", "public.a", "--report", page);
  assert.equal(shown.code, 3);
  assert.match(
    shown.stdout,
    /^differs +public\.a +id=17: word\n +source +id=17 word=secret 17\n +target +id=17 word=changed$/m,
  );
  assert.match(
    shown.stdout,
    /^totals +public\.a +300 rows of the source and 270 of the target, 1 sum and 1 range: not the same$/m,
  );
  assert.match(shown.stdout, /^totals +public\.a\.id: sum source 45150, target 36585$/m);
  const html = await readFile(page, "utf8");
  assert.match(html, /The databases are not equal/);
  assert.match(html, /<td class="">id<\/td><td class="">sum<\/td><td class="number">45150<\/td>/);
  assert.match(html, /word=changed/);
});

test("--json tells everything in events, and a report has every difference", async () => {
  const { to, args } = await pair();
  await server.query("delete from a where id > 200; drop table b", to);
  const file = join(directory, "report.json");
  const { code, stdout } = await tidewayHere(...args, "--json", "--totals", "--report", file);
  assert.equal(code, 3);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const { event, at } of events) assert.ok(typeof event === "string" && !Number.isNaN(Date.parse(at)));
  const of = (name: string) => events.filter(({ event }) => event === name);
  assert.equal(of("difference").length, 100);
  assert.deepEqual(of("difference")[0].columns, []);
  assert.deepEqual(
    of("table")
      .map(({ name, verdict, missing }) => ({ name, verdict, missing }))
      .sort((x, y) => (x.name < y.name ? -1 : 1)),
    [
      { name: "a", verdict: "different", missing: 100 },
      { name: "b", verdict: "missing", missing: 0 },
    ],
  );
  const outcome = events.at(-1);
  assert.deepEqual(
    [outcome.event, outcome.exitCode, outcome.verdicts],
    ["outcome", 3, { missing: 1, different: 1 }],
  );
  const report = JSON.parse(await readFile(file, "utf8"));
  assert.equal(report.differences.length, 100);
  assert.equal(report.tables.length, 2);
  const at = "2026-01-01 00:00:00";
  assert.deepEqual(report.tables.find((table: { name: string }) => table.name === "a").totals, {
    rows: { source: 300, target: 200 },
    columns: [
      { column: "id", what: "sum", source: "45150", target: "20100" },
      { column: "at", what: "first", source: at, target: at },
      { column: "at", what: "last", source: at, target: at },
    ],
    leftOut: [],
    isSame: false,
  });
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("what cannot be compared is told, and a run that fails leaves no report", async () => {
  const { to, args } = await pair();
  await server.query("alter table a add extra int; alter table a drop column at, add at text", to);
  const told = await tidewayHere(...args);
  assert.match(told.stdout, /^note +public\.a\.extra is not compared: the target alone has such a column$/m);

  const wrong = args.map((arg) => arg.replace(server.password, "wrong"));
  const failed = await tidewayHere(...wrong, "--report", join(directory, "none.json"));
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^error auth\.failed: .*\nremedy: /);
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith("none")),
    [],
  );
});

test("what could not be compared gives exit code 3, and stands in the reports", async () => {
  const { to, args } = await pair();
  await server.query("alter table b add n int; alter table a drop column at, add at int", to);
  const told = await tidewayHere(...args);
  assert.equal(told.code, 3);
  assert.match(told.stdout, /^equal +public\.a +300 rows; 1 column could not be compared in /m);
  assert.match(told.stdout, /^public\.a .* equal in part$/m);
  assert.match(told.stdout, /^public\.b .* equal$/m);
  assert.match(told.stdout, /^Not shown to be equal: 1 of 2 tables/m);

  const rules = join(directory, "rules.json");
  const rule = { "rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-action": "rename" };
  const column = { "schema-name": "public", "table-name": "a", "column-name": "at" };
  const all = { "schema-name": "public", "table-name": "%" };
  const selection = { "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include" };
  const renamed = { ...rule, "rule-target": "column", "object-locator": column, value: "word" };
  await writeFile(rules, JSON.stringify({ rules: [{ ...selection, "object-locator": all }, renamed] }));
  const reports = ["html", "json"].map((end) => join(directory, `clash.${end}`));
  for (const report of reports) {
    const { code, stdout } = await tidewayHere(...args, "--mappings", rules, "--report", report);
    assert.equal(code, 3);
    assert.match(stdout, /^error mapping\.column_clash: /m);
    assert.match(stdout, /Not all was compared: 1 error\.$/m);
    assert.match(await readFile(report, "utf8"), /mapping\.column_clash/);
  }
});

test("who may not read the target is told what to grant there", async () => {
  const { to, args } = await pair();
  await server.query("create role reads_little login password 'pw'; grant select on b to reads_little", to);
  const limited = args.with(-1, args.at(-1)!.replace(`postgres:${server.password}`, "reads_little:pw"));
  const { code, stdout } = await tidewayHere(...limited);
  assert.equal(code, 3);
  const failure =
    /^failed +public\.a +source\.table_privilege: The target answered .*: permission denied for table a\.\n/m;
  assert.match(stdout, failure);
  assert.match(stdout, /^ +remedy +Run on the target: .*grant select on "public"\."a" to "reads_little"/m);
  assert.doesNotMatch(stdout, /The source answered/);
  assert.match(stdout, /^equal +public\.b /m);
});

test("a check of the target that cannot be made is told, and takes no result away", async () => {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  const parent = "create table p (id int primary key, n serial); insert into p values (1)";
  await server.query(`${parent}; create table c (id int references p); insert into c values (1)`, from);
  const words = "create table w (n numeric); insert into w values (12.50); create sequence s owned by w.n";
  await server.query(words, from);
  await server.query(`${words}; create table c (id text); insert into c values (1)`, to);
  await server.query("create table p (id int primary key); insert into p values (1)", to);
  const report = join(directory, "checks.json");
  const args = ["validate", "--settle", "0", "--report", report, server.url(from), server.url(to)];
  const { code, stdout, stderr } = await tidewayHere(...args);
  assert.equal(code, 3, stderr);
  assert.match(stdout, /^failed +public\.c +the foreign key c_id_fkey: [a-z_]+\.[a-z_]+: /m);
  const { checks, tables } = JSON.parse(await readFile(report, "utf8"));
  assert.equal(checks.length, 1);
  assert.equal(tables.length, 3);
});

test("a table of the target may be made of parts, and may be a view", async () => {
  const { to, args } = await pair();
  await server.query(
    `alter table a rename to a1; create table a (like a1) partition by range (id);
     alter table a attach partition a1 for values from (0) to (1000)`,
    to,
  );
  await server.query("alter table b rename to c; create view b as select * from c", to);
  const { code, stdout } = await tidewayHere(...args);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^public\.a +300 +300 +0 +0 +0 +equal$/m);
  await server.query("update a set word = 'changed' where id = 17; delete from c where word is null", to);
  const other = await tidewayHere(...args);
  assert.match(other.stdout, /^differs +public\.a +id=17: word$/m);
  assert.match(other.stdout, /^missing +public\.b +1 row without a key$/m);
});

test("what makes no sense is wrong usage", async () => {
  const { args } = await pair();
  const more: readonly (readonly string[])[] = [
    ["--sample", "0"],
    ["--sessions", "many"],
    ["--report", join(directory, "report.txt")],
    ["--report", "/does/not/exist/report.json"],
    ["--include", "public.a", "--mappings", "rules.json"],
    ["--settings", "/does/not/exist"],
    ["--include", "public.none"],
  ];
  for (const some of more) {
    const { code, stderr } = await tidewayHere(...args, ...some);
    assert.equal(code, some[1] === "public.none" ? 1 : 2, `${some.join(" ")}: ${stderr}`);
    assert.match(stderr, /^error [a-z_.]+: .+\nremedy: .+\n$/);
  }
  // Whatever it holds, it is equal to itself.
  const { code, stderr } = await tidewayHere(...args.with(-1, args.at(-2)!));
  assert.equal(code, 2);
  assert.match(stderr, /^error usage\.invalid: Source and target are the same database, /);
});
