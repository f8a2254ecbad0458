import assert from "node:assert/strict";
import { test } from "node:test";
import { mappingsFromPatterns } from "../../src/mapping/selection.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { compareDatabases, describeComparison } from "../support/compare.ts";
import { endpointOf } from "../support/endpoint.ts";
import { objectSchema, partitionedSchema } from "../support/object-schema.ts";
import { serverPair } from "../support/server-pair.ts";
import { everything, ObservedTask, runToEnd, TaskProcess, taskSpec } from "../support/task.ts";

/* Views, functions, triggers and whatever else a schema holds beside tables. */

const SCHEMAS = ["shop", "shared"];
const { source, target } = await serverPair();

interface Databases {
  readonly from: string;
  readonly to: string;
  readonly ends: Pick<Parameters<typeof taskSpec>[0], "source" | "target">;
}

async function databases(name: string, schema = objectSchema(18)): Promise<Databases> {
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  await source.query(schema, from);
  return { from, to, ends: { source: endpointOf(source, from), target: endpointOf(target, to) } };
}

test("a schema arrives with everything that is in it", async () => {
  const { from, to, ends } = await databases("objects");
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...ends }));
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  const grave = findings.filter(({ severity }) => severity !== "info");
  assert.deepEqual(grave, []);
  await assertEqualDatabases({ source, from, target, to, schemas: SCHEMAS });
  const extensions = "select extname, extnamespace::regnamespace::text as place from pg_extension order by 1";
  assert.deepEqual(await target.query(extensions, to), await source.query(extensions, from));
  // The objects work, and the sequence goes on.
  await target.query("insert into shop.open_orders (id, customer) values (1000, 1)", to);
  const [row] = await target.query(
    `select (select changes from shop.orders where id = 1000) as stamped,
            (select count(*)::int from shop.audit where what = 'INSERT' and id = 1000) as logged,
            (select count(*)::int from shop.busy) as busy, shared.next_code() as code`,
    to,
  );
  assert.deepEqual(row, { stamped: 1, logged: 1, busy: 50, code: "c57" });
});

test("partitioned and inherited tables are put together again, and their keys hold", async () => {
  const { from, to, ends } = await databases("partitioned", partitionedSchema);
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...ends }));
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== "info"),
    [],
  );
  await assertEqualDatabases({ source, from, target, to, schemas: ["parts", "Old Parts"] });
  const tree = `select c.oid::regclass::text as name, i.inhparent::regclass::text as parent,
      pg_get_expr(c.relpartbound, c.oid) as bound, pg_get_partkeydef(c.oid) as key
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid
    where c.relnamespace::regnamespace::text in ('parts', '"Old Parts"') and c.relkind in ('r', 'p', 'i', 'I') order by 1, 2`;
  assert.deepEqual(await target.query(tree, to), await source.query(tree, from));
  const whole = "select count(*)::int as all, max(id) as last from parts.events";
  assert.deepEqual(await target.query(whole, to), await source.query(whole, from));
  const [added] = await target.query(
    "insert into parts.events (at, customer) values ('2024-03-03', 1) returning id, tableoid::regclass::text as part",
    to,
  );
  assert.deepEqual(added, { id: "410", part: "parts.events_2024_early" });
});

test("what is there is replaced, view before table, and told before", async () => {
  const { to, ends } = await databases("replaced", `${objectSchema(18)}; ${partitionedSchema}`);
  const first = await runToEnd(taskSpec({ type: "full-load", ...ends }));
  assert.equal(first.outcome.state, "stopped", JSON.stringify(first.outcome.error));
  await target
    .query(
      "create or replace function shop.slug(value text) returns text language sql immutable as 'select value'",
      to,
    )
    .catch(() => undefined);
  await target.query("drop view shop.recent; create view shop.recent as select 1 as other", to);
  const again = await runToEnd(taskSpec({ type: "full-load", ...ends }));
  assert.equal(again.outcome.state, "stopped", JSON.stringify(again.outcome.error));
  assert.deepEqual(again.outcome.suspendedTables, []);
  const told = again.findings
    .filter(({ code }) => code === "target.object_replaced")
    .map(({ subject }) => subject);
  const replaced = ["shop.recent", "shop.stamp()", "shop.words"];
  assert.ok(
    replaced.every((name) => told.includes(name)),
    told.join(),
  );
  const grave = again.findings.filter(({ severity }) => severity !== "info");
  assert.deepEqual(grave, []);
  const [row] = await target.query(
    "select count(*)::int as columns from information_schema.columns where table_name = 'recent'",
    to,
  );
  assert.equal(row.columns, 4);
});

test("while changes are applied triggers are silent, and what would not be is said and left out", async () => {
  const always = `set constraints all immediate; alter table shop.orders enable always trigger stamp;
    alter table shop.audit replica identity full`;
  const { from, to, ends } = await databases("silent", `${objectSchema(18)}; ${always}`);
  const task = new ObservedTask(taskSpec({ type: "full-load-and-cdc", ...ends }));
  await task.until((progress) => progress.phase === "replicating");
  // Triggers of the source fire here; what they wrote comes as changes, and must not be written twice.
  await source.query(
    `insert into shop.orders (id, customer) select 1000 + i, 1 from generate_series(1, 20) i;
     update shop.orders set state = 'paid' where id % 2 = 0; delete from shop.orders where id = 3`,
    from,
  );
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const left = task.findings
    .filter(({ code }) => code === "target.object_waits")
    .map(({ subject }) => subject);
  assert.deepEqual(left.sort(), [
    "row security shop.orders",
    "rule shop.customers.tell",
    "trigger shop.orders.stamp",
  ]);
  const clients = { source: await source.connect(from), target: await target.connect(to) };
  try {
    const comparison = await compareDatabases(clients);
    assert.ok(comparison.equal, describeComparison(comparison));
  } finally {
    await Promise.all([clients.source.end(), clients.target.end()]);
  }
});

test("a renamed schema takes along what names only itself, and says what it leaves out", async () => {
  const { to, ends } = await databases("renamed");
  const rules = [
    ...JSON.parse(everything).rules,
    {
      "rule-type": "transformation",
      "rule-id": "2",
      "rule-name": "2",
      "rule-target": "schema",
      "object-locator": { "schema-name": "shared" },
      "rule-action": "rename",
      value: "common",
    },
  ];
  const spec = taskSpec({ type: "full-load", ...ends, tableMappings: JSON.stringify({ rules }) });
  const { outcome, findings } = await runToEnd(spec);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  const leftOut = findings
    .filter(({ code }) => code === "plan.object_left_out")
    .map(({ subject }) => subject);
  // They name shared.money_of, and the view what it needs.
  assert.deepEqual(leftOut.sort(), [
    "shop.busiest()",
    "shop.busy",
    "shop.recent",
    "shop.total(shared.money_of)",
    "shop.total_step(numeric, shared.money_of)",
    "shop.totals",
  ]);
  const doubtful = findings
    .filter(({ code }) => code === "plan.text_names_schema")
    .map(({ subject }) => subject);
  assert.deepEqual(doubtful, ["shared.next_code()"]);
  const [row] = await target.query(
    `select to_regprocedure('common.is_positive(numeric)') is not null as moved,
            to_regclass('shop.open_orders') is not null as view, (select count(*)::int from shop.orders) as orders`,
    to,
  );
  assert.deepEqual(row, { moved: true, view: true, orders: 200 });
});

test("of a schema that is not moved whole come what tables need and what is part of them", async () => {
  const { to, ends } = await databases("part");
  const spec = taskSpec({
    type: "full-load",
    ...ends,
    tableMappings: mappingsFromPatterns(["shop.customers", "shop.orders"], []),
  });
  const { outcome, findings } = await runToEnd(spec);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  const names = await target.query(
    `select proname as name from pg_proc where pronamespace::regnamespace::text in ('shop', 'shared')
       and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'i')
     union all select tgname from pg_trigger where not tgisinternal
     union all select relname from pg_class where relkind in ('v', 'm') and relnamespace = 'shop'::regnamespace order by 1`,
    to,
  );
  assert.deepEqual(
    names.map(({ name }) => name),
    [
      "is_positive",
      "log_order",
      "log_order",
      "next_code",
      "quiet",
      "slug",
      "stamp",
      "stamp",
      "text_distance",
    ],
  );
  const kinds = findings.filter(({ code }) => code === "source.not_moved").map(({ subject }) => subject);
  assert.deepEqual(kinds.sort(), [
    "functions and procedures",
    "materialized views",
    "text search configurations",
    "text search dictionaries",
    "views",
  ]);
});

test("MigrateObjects false leaves everything but what tables need, and says so", async () => {
  const { to, ends } = await databases("tables_only");
  const settings = JSON.stringify({ TidewaySettings: { MigrateObjects: false } });
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...ends, settings }));
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  const [row] = await target.query(
    `select (select count(*)::int from pg_trigger where not tgisinternal) as triggers,
            (select count(*)::int from pg_policy) as policies, to_regclass('shop.totals') is null as none`,
    to,
  );
  assert.deepEqual(row, { triggers: 0, policies: 0, none: true });
  assert.ok(findings.some(({ code, subject }) => code === "source.not_moved" && subject === "triggers"));
});

test("an extension that the target does not have costs what needs it, and nothing else", async () => {
  const schema = `create schema app; create schema addons; create extension pgcrypto with schema addons;
    create table app.plain (id int primary key, v text); insert into app.plain values (1, 'one');
    create view app.hashes as select id, addons.digest(v, 'sha256') from app.plain;
    create view app.names as select v from app.plain`;
  const { to, ends } = await databases("lacking", schema);
  // The extension's objects are there in another schema, so that it cannot be made again.
  await target.query("create schema other; create extension pgcrypto with schema other", to);
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...ends }));
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const failed = findings
    .filter(({ code }) => code === "target.object_not_made")
    .map(({ subject }) => subject);
  assert.deepEqual(failed, ["view app.hashes"]);
  assert.deepEqual(await target.query("select * from app.names", to), [{ v: "one" }]);
});

test("killed while views and triggers are made, the task makes the rest when it goes on", async () => {
  const { from, to, ends } = await databases("killed");
  const spec = taskSpec({ type: "full-load", ...ends });
  const killed = await new TaskProcess(spec, "build.sequences-set").ended();
  assert.equal(killed.signal, "SIGKILL");
  const { outcome, findings } = await runToEnd({ ...spec, start: "resume-processing" });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(
    findings.filter(({ code }) => code === "target.object_not_made"),
    [],
  );
  await assertEqualDatabases({ source, from, target, to, schemas: SCHEMAS });
});

test("DO_NOTHING keeps a view and a function that are there, and says so", async () => {
  const { to, ends } = await databases("kept");
  await target.query(
    `create schema shop; create view shop.open_orders as select 'mine' as whose;
     create function shop.stamp() returns trigger language plpgsql as 'begin return new; end'`,
    to,
  );
  const settings = JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } });
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...ends, settings }));
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const told = findings.filter(({ code }) => code === "target.object_kept").map(({ message }) => message);
  assert.ok(
    told.some((message) => message.includes("shop.stamp()")) &&
      told.some((message) => message.includes("shop.open_orders")),
  );
  assert.deepEqual(await target.query("select whose from shop.open_orders", to), [{ whose: "mine" }]);
});
