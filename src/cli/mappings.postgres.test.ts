import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { columnRule } from "../../test/support/plan-situation.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { serverOfFile } from "../../test/support/server-pair.ts";
import { runCommandLine } from "./main.ts";

const server = await serverOfFile(startPostgres());
const directory = await mkdtemp(join(tmpdir(), "tideway-mappings-"));
after(() => rm(directory, { recursive: true }));

await server.query(`
  create schema app;
  create table app.people (id bigint primary key, name varchar(80), ssn text, price numeric(10,2), note text);
  create table app.orders (nr int primary key, at date not null default current_date);
  create table app.tmp (x int)`);

async function check(
  rules: readonly object[],
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const file = join(directory, "mappings.json");
  await writeFile(file, JSON.stringify({ rules }));
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: string) => (written[name] += text) });
  const output = { stdout: stream("stdout"), stderr: stream("stderr") };
  const code = await runCommandLine(["mappings", "check", file, ...args], output);
  return { code, ...written };
}

function select(ruleId: number, action: string, name: string, more: object = {}): object {
  return {
    ...{ "rule-type": "selection", "rule-id": ruleId, "rule-action": action },
    "object-locator": { "schema-name": "app", "table-name": name },
    ...more,
  };
}

const condition = { "filter-operator": "gte", value: "100" };
const filter = { "filter-type": "source", "column-name": "id", "filter-conditions": [condition] };
const dmsString = (length: number): object => ({ "data-type": { type: "string", length } });

const RULES = [
  select(1, "include", "people", { filters: [filter], "load-order": 5 }),
  select(2, "include", "orders"),
  columnRule(3, "rename", "name", { value: "full_name" }),
  columnRule(4, "remove-column", "note"),
  columnRule(5, "data-masking-hash-mask", "ssn"),
  columnRule(6, "change-data-type", "price", { "data-type": { type: "int8" } }),
  {
    ...{ "rule-type": "table-settings", "rule-id": 8 },
    "object-locator": { "schema-name": "app", "table-name": "orders" },
    "parallel-load": { type: "ranges", columns: ["nr"], boundaries: [["10"], ["20"]] },
  },
  {
    ...{ "rule-type": "transformation", "rule-id": 9, "rule-target": "table" },
    ...{ "rule-action": "define-primary-key", "primary-key-def": { name: "k", columns: ["nr", "at"] } },
    "object-locator": { "schema-name": "app", "table-name": "orders" },
  },
  columnRule(7, "add-column", "%", {
    ...{ "object-locator": { "schema-name": "app", "table-name": "people" } },
    ...{ value: "label", expression: "upper($name) || $AR_M_SOURCE_SCHEMA", ...dmsString(90) },
  }),
];

test("what a document does to a database is shown table by table and column by column", async () => {
  const { code, stdout, stderr } = await check(RULES, "--source", server.url(), "--target", server.url());
  assert.equal(stderr, "");
  assert.equal(
    stdout,
    `app.people  5 columns, load order 5
  only rows where id >= '100'
  COLUMN  TYPE                   ON THE TARGET  TYPE
  name    character varying(80)  full_name      character varying(80)  renamed
  ssn     text                   ssn            text                   masked; SHA-256
  price   numeric(10,2)          price          bigint                 another type
  -                              label          character varying(90)  added; upper($name) || $AR_M_SOURCE_SCHEMA
  note    text                   -                                     stays behind

app.orders  2 columns, all as they are, primary key nr, at, loaded in 3 ranges of nr

9 rules. 2 of 3 tables are selected. The document can be used.
`,
  );
  assert.equal(code, 0);
});

test("programs get one document of JSON, with every column", async () => {
  const { code, stdout } = await check(RULES, "--source", server.url(), "--json");
  const report = JSON.parse(stdout);
  assert.deepEqual([code, report.rules, report.tablesOfSource, report.findings], [0, 9, 3, []]);
  assert.deepEqual(
    report.tables.map(({ source, filter: rows }: { source: object; filter?: string }) => [source, rows]),
    [
      [{ schema: "app", name: "people" }, "id >= '100'"],
      [{ schema: "app", name: "orders" }, undefined],
    ],
  );
  const [id, , , price] = report.tables[0].columns;
  assert.deepEqual(id, { source: "id", sourceType: "bigint", target: "id", targetType: "bigint", what: "" });
  assert.equal(price.targetType, "integer of 64 bits", "no target has named it");
});

test("what cannot be carried out is told, and the exit code says so", async () => {
  const wrong = [
    select(1, "include", "%"),
    columnRule(2, "rename", "name", { value: "ssn" }),
    columnRule(3, "data-masking-hash-mask", "snn"),
    select(4, "exclude", "temp"),
    select(5, "exclude", "%", { "object-locator": { "schema-name": "pg_catalog", "table-name": "%" } }),
  ];
  const { code, stdout } = await check(wrong, "--source", server.url(), "--type", "full-load-and-cdc");
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^error mapping\.column_clash: The name ssn on the target is that of the column name by rule 2 and the column ssn\./m,
  );
  assert.match(
    stdout,
    /^warning mapping\.rule_unmatched: Rule 3 for %\.%\.snn matches no column of the selected tables\.$/m,
  );
  assert.match(
    stdout,
    /^warning mapping\.rule_unmatched: Rule 4 for app\.temp matches no table of the source\.$/m,
  );
  assert.doesNotMatch(stdout, /Rule 5/, "it leaves out a schema of the server");
  assert.match(stdout, /1 error: it cannot be carried out as it is\.\n$/);
  const nothing = await check([select(1, "include", "no_such_table")], "--source", server.url());
  assert.equal(nothing.code, 1);
  assert.match(
    nothing.stdout,
    /^error mapping\.no_tables: The selection rules match no table of the source\.$/m,
  );
});

test("without a source the document alone is read", async () => {
  const { code, stdout } = await check(RULES);
  assert.deepEqual(
    [code, stdout],
    [0, "9 rules. The document can be used. Add --source to see what it does.\n"],
  );
  const refused = await check([{ ...select(1, "include", "%"), "load-oder": 1 }]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error mapping\.unsupported: .*ruleId = 1 .*"load-oder"/);
  const lonely = await check(RULES, "--target", server.url());
  assert.equal(lonely.code, 2);
  assert.match(lonely.stderr, /--target needs --source/);
});
