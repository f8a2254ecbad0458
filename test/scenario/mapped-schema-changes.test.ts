import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { TaskSpec } from "../../src/task/task.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { serverPair } from "../support/server-pair.ts";
import { TaskPair, type TaskParts } from "../support/task-pair.ts";

/*
 * Schema changes of tables whose rows table mappings make into others: the target follows what the rules make of the table
 * then, and no value comes that they masked or left out before.
 */

const servers = await serverPair();

const pairs: TaskPair[] = [];
afterEach(() => Promise.all(pairs.splice(0).map((pair) => pair.end())));

const { rule, selection } = new RuleNumbers("app");
const mask = { value: "#" };
const string = { "data-type": { type: "string", length: 80 } };

const rules = [
  selection("%"),
  rule({ "table-name": "%", "column-name": "secret%" }, "data-masking-digits-mask", mask),
  rule({ "table-name": "%", "column-name": "hidden" }, "remove-column"),
  rule({ "table-name": "%", "column-name": "v" }, "rename", { value: "named" }),
  rule({ "table-name": "%" }, "add-column", { value: "made", expression: "$id || '/' || $v", ...string }),
];

const names = ["t", "unmasked", "shown", "lost"];
const schema = `create schema app; ${names
  .map(
    (name) => `create table app.${name} (hidden text, id int primary key, v text, secret text);
      insert into app.${name} select 'h' || i, i, 'v' || i, 's' || i from generate_series(1, 50) i;`,
  )
  .join("")}`;

async function makePair(
  name: string,
  parts: TaskParts & { readonly schema?: string } = {},
): Promise<TaskPair> {
  const tableMappings = JSON.stringify({ rules });
  const pair = await TaskPair.make(servers, { schema, tableMappings, ...parts, name });
  pairs.push(pair);
  return pair;
}

/** What the rules make of app.t once the columns came, and what the target has of it. */
async function assertMapped(pair: TaskPair): Promise<void> {
  const [wanted, found] = await Promise.all([
    pair.query(`select id, v as named, regexp_replace(secret, '[0-9]', '#', 'g') as secret, id || '/' || v as made,
      later, regexp_replace(secret_too, '[0-9]', '#', 'g') as secret_too from app.t order by id`),
    pair.queryTarget("select id, named, secret, made, later, secret_too from app.t order by id"),
  ]);
  assert.deepEqual(found, wanted);
  const [columns] = await pair.queryTarget(
    `select array_agg(column_name::text order by ordinal_position) as names from information_schema.columns
      where table_schema = 'app' and table_name = 't'`,
  );
  assert.deepEqual(columns.names.toSorted(), ["id", "later", "made", "named", "secret", "secret_too"]);
}

const additions = `insert into app.t values ('h', 101, 'before', 's1'); begin; update app.t set v = 'w' where id = 7;
  alter table app.t add column later int default 5, add column secret_too text default 'x9';
  insert into app.t values ('h', 102, 'after', 's2', 6, 'y77'); update app.t set later = 7, secret = 's3' where id = 8; commit;
  delete from app.t where id = 9; update app.t set id = 1000 where id = 10`;

const resumed: Partial<TaskSpec> = { start: "resume-processing" };

test("columns come as the rules make them, masked also in the rows that were there", async () => {
  const pair = await makePair("mapped_noted");
  const task = await pair.replicate();
  await pair.query(additions);
  await pair.query(
    "alter table app.t drop column hidden; insert into app.t values (103, 'v', 's4', 8, 'z8')",
  );
  await pair.query(
    "alter table app.t alter later type bigint; update app.t set later = 5000000000 where id = 1",
  );
  await pair.query("create unique index by_secret on app.t (id, secret)");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await assertMapped(pair);
  const told = task.findings.filter(
    ({ code, message }) => /left_out/.test(code) && /by_secret/.test(message),
  );
  assert.equal(told.length, 1, "what an altered table is without is told, and once");
});

test("what is made of a column that the source computes is so again when the task goes on, and when the table is altered", async () => {
  const { rule: own, selection: taken } = new RuleNumbers("app");
  const tableMappings = JSON.stringify({
    rules: [
      taken("g"),
      own({ "table-name": "g" }, "add-column", { value: "made", expression: "$twice || '!'", ...string }),
    ],
  });
  const pair = await makePair("mapped_computed", {
    tableMappings,
    schema: `create schema app; create table app.g (id int primary key, n int, twice int generated always as (n * 2) stored);
      insert into app.g select i, i from generate_series(1, 20) i`,
  });
  const assertMade = async (): Promise<void> => {
    const wanted = await pair.query("select id, n, twice, twice || '!' as made from app.g order by id");
    assert.deepEqual(await pair.queryTarget("select id, n, twice, made from app.g order by id"), wanted);
  };
  await stop(await pair.replicate());
  await pair.query("update app.g set n = n + 1 where id < 5; insert into app.g values (21, 21)");
  const task = await pair.replicate(resumed);
  task.running.reloadTables([{ schema: "app", name: "g" }]);
  await task.until(({ tables }) => tables.some(({ reloaded }) => reloaded));
  await pair.query(
    "update app.g set n = n + 1 where id < 4; alter table app.g add column late int default 3",
  );
  await pair.query("insert into app.g values (22, 22); update app.g set n = null where id = 1");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await assertMade();
  const [computed] = await pair.queryTarget(
    "select attgenerated from pg_attribute where attrelid = 'app.g'::regclass and attname = 'twice'",
  );
  assert.equal(computed.attgenerated, "s");
});

test("a table is set aside when a column gets a name by which rules leave it as it is, or have nothing to go by", async () => {
  const pair = await makePair("mapped_refused");
  const task = await pair.replicate();
  await pair.query(`alter table app.unmasked rename secret to open; insert into app.unmasked values ('h', 101, 'v', 's101');
    alter table app.shown rename hidden to seen; insert into app.shown values ('h101', 101, 'v', 's101');
    alter table app.lost rename v to w; insert into app.lost values ('h', 101, 'v', 's101')`);
  const { unmasked, shown, lost, ...others } = reasons((await drain(task)).progress);
  assert.match(unmasked!, /column open treated in another way by the table mappings/);
  assert.match(shown!, /column seen treated in another way by the table mappings/);
  assert.match(lost!, /is not what its table mappings need/);
  assert.deepEqual(others, {});
  for (const name of ["unmasked", "shown", "lost"]) {
    const rows = await pair.queryTarget(`select to_jsonb(q)::text as row from app.${name} q where id = 101`);
    assert.deepEqual(rows, [], name);
  }
});

test("the same is found out without notes, and a table is loaded again as the rules make it then", async () => {
  const pair = await makePair("mapped_unnoted", { sourceSettings: { CaptureDdls: false } });
  await stop(await pair.replicate());
  await pair.query(additions);
  await pair.query("alter table app.unmasked rename secret to open");
  const task = await pair.replicate(resumed);
  await pair.query("insert into app.t values ('h', 104, 'last', 's4', 9, 'z8')");
  task.running.reloadTables([{ schema: "app", name: "t" }]);
  await task.until(({ tables }) => tables.some(({ id, reloaded }) => id.name === "t" && reloaded));
  await pair.query("insert into app.t values ('h', 105, 'reloaded', 's5', 9, 'z8')");
  const { unmasked, ...others } = reasons((await drain(task)).progress);
  assert.match(unmasked!, /calls its column secret open now/);
  assert.deepEqual(others, {});
  await assertMapped(pair);
});
