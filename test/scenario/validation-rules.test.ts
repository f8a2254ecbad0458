import assert from "node:assert/strict";
import { test } from "node:test";
import { postgres } from "../contract/database-kind.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, runToEnd, taskSpec } from "../support/task.ts";
import { differenceLine, validated } from "../support/validation.ts";

/* Rows are compared as rules make them: what the rules have done is no difference, and what somebody else has done is one. */

const server = await serverOfFile(postgres.start());

const { rule, selection } = new RuleNumbers("shop");
const people = { "table-name": "people" };
const column = (name: string) => ({ ...people, "column-name": name });
const adults = {
  "filter-type": "source",
  "column-name": "age",
  "filter-conditions": [{ "filter-operator": "gte", value: "18" }],
};

const rules = [
  selection("people", [adults]),
  selection("plain"),
  rule(column("name"), "rename", { value: "full_name" }),
  rule(column("ssn"), "data-masking-digits-mask", { value: "#" }),
  rule(column("mail"), "data-masking-hash-mask"),
  rule(column("phone"), "data-masking-digits-randomize"),
  rule(column("secret"), "remove-column"),
  rule(people, "add-column", {
    value: "label",
    expression: "$id || ':' || upper($name)",
    "data-type": { type: "string", length: 200 },
  }),
  rule(people, "add-column", {
    value: "moved",
    expression: "$AR_H_TIMESTAMP",
    "data-type": { type: "datetime", precision: 6 },
  }),
  {
    ...{ "rule-type": "transformation", "rule-id": "90", "rule-name": "90", "rule-target": "table" },
    ...{ "object-locator": { "schema-name": "shop", "table-name": "people" }, "rule-action": "rename" },
    value: "persons",
  },
];

test("rows are compared as rules make them", async () => {
  const source = await server.newSchema();
  const target = await server.newSchema();
  await source.run(`
    create table people (id int primary key, name text, age int, ssn text, mail text, phone text, secret text);
    insert into people select i, 'name ' || i, i % 40, '12-' || i, i || '@mail', '555' || i, 'x' from generate_series(1, 800) i;
    create table plain (id int primary key, word text);
    insert into plain values (1, 'a')`);
  const spec = taskSpec({
    type: "full-load",
    source: source.endpoint,
    target: target.endpoint,
    tableMappings: JSON.stringify({ rules }),
  });
  assertStopped((await runToEnd(spec)).outcome);

  const equal = await validated(spec);
  assert.deepEqual(equal.differences, []);
  const found = equal.tables.get("people")!;
  assert.equal(found.verdict, "equal");
  assert.deepEqual(found.target.name, "persons");
  assert.deepEqual(found.rows, { source: 440, target: 440 });
  assert.deepEqual(found.uncompared.map(({ column: name }) => name).sort(), ["moved", "phone"]);

  await target.run(`
    update persons set full_name = 'other' where id = 18;
    update persons set ssn = '##-9' where id = 19;
    update persons set mail = lower(md5(mail)) where id = 20;
    update persons set label = label || ' ' where id = 21;
    update persons set phone = '0' where id = 22;
    insert into persons (id, full_name, age) values (1, 'name 1', 1);
    delete from persons where id = 39`);
  const { differences } = await validated(spec);
  assert.deepEqual(differences.map(differenceLine).sort(), [
    "people different 18: name",
    "people different 19: ssn",
    "people different 20: mail",
    "people different 21: label",
    "people extra 1",
    "people missing 39",
  ]);

  const others = "select * from persons where id not in (1, 18, 19, 20, 21, 39) order by id";
  const before = await target.rows(others);
  const applied = await validated(spec, { repair: { kind: "apply" } });
  assert.deepEqual(applied.differences, []);
  assert.deepEqual(await target.rows(others), before);
  const made =
    "select full_name, ssn, mail ~ '^[0-9a-f]{64}$', label from persons where id in (18, 39) order by id";
  assert.deepEqual(
    (await target.rows(made)).map((row) => row.map(String)),
    [
      ["name 18", "##-##", "t", "18:NAME 18"],
      ["name 39", "##-##", "t", "39:NAME 39"],
    ],
  );
});

test("a sample looks for a part of the source's rows, and for all of a table without a key", async () => {
  const source = await server.newSchema();
  const target = await server.newSchema();
  const make = (isMissing: string): string => `
    create table many (id int primary key, word text); create table bag (word text);
    insert into many select i, 'w' || i from generate_series(1, 40000) i where not ${isMissing};
    analyze`;
  await source.run(make("false"));
  await source.run("insert into bag select 'w' || i % 50 from generate_series(1, 110000) i; analyze");
  await target.run(make("i % 100 = 0"));
  const spec = taskSpec({ type: "full-load", source: source.endpoint, target: target.endpoint });
  const { differences, tables } = await validated(spec, { sample: 10 });
  const { sampled, rows, missing, extra } = tables.get("many")!;
  assert.equal(sampled, 10);
  assert.ok(rows.source > 1_000 && rows.source < 20_000, `${rows.source} rows were looked for`);
  assert.ok(missing > 10 && missing < rows.source / 50);
  assert.deepEqual([extra, rows.target], [0, rows.source - missing]);
  const lines = differences.map(differenceLine);
  assert.equal(lines.filter((line) => line.startsWith("many missing ")).length, missing);
  // Rows that are the same are one difference, in however many parts of the table they stand.
  const bag = lines.filter((line) => line.startsWith("bag "));
  assert.deepEqual([bag.length, new Set(bag)], [50, new Set(["bag missing 2200 of no key"])]);
  assert.deepEqual([tables.get("bag")?.missing, tables.get("bag")?.sampled], [110_000, undefined]);
});

test("what the target's rows lack together is found where no constraint of the target says so", async () => {
  const source = await server.newSchema();
  const target = await server.newSchema();
  const tables = (isWhole: boolean): string => `
    create table parent (id int primary key);
    create table child (id serial primary key, parent int${isWhole ? " references parent" : ""}, code text${isWhole ? " unique" : ""});
    create table other (id serial primary key, parent int references parent, code text unique);
    insert into parent values (1), (2);
    insert into child (parent, code) values (1, 'a'), (2, 'b'), (null, 'c');
    insert into other (parent, code) values (1, 'a')`;
  await source.run(tables(true));
  await target.run(tables(false));
  const spec = taskSpec({ type: "full-load", source: source.endpoint, target: target.endpoint });
  const good = await validated(spec);
  assert.deepEqual(good.differences, []);
  assert.ok(
    good.checks.length === 4 && good.checks.every(({ isGood }) => isGood),
    JSON.stringify(good.checks),
  );

  await target.run(`
    insert into child (id, parent, code) values (10, 7, 'a'), (11, 7, 'b'), (12, null, null), (13, null, null)`);
  const { checks } = await validated(spec);
  const wrong = checks.filter(({ isGood }) => !isGood);
  assert.deepEqual(wrong.map(({ table, kind, found }) => `${table.name} ${kind} ${found}`).sort(), [
    "child repeated 2",
    "child sequence 1",
    "child without-parent 2",
  ]);
});
