import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { TableId } from "../../src/core/schema.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { armingOf, killsIn } from "../support/kills.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask, TaskProcess } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

const { source, target } = await serverPair();

const pairs: TaskPair[] = [];
afterEach(() => Promise.all(pairs.splice(0).map((pair) => pair.end())));

const schema = `create schema app;
  create table app.t (id int primary key, v text);
  insert into app.t select i, 'v' || i from generate_series(1, 200) i;
  create table app.f (a int, v text); alter table app.f replica identity full;
  insert into app.f select i % 10, 'v' from generate_series(1, 50) i;
  create table app.parts (id int primary key, v text) partition by range (id);
  create table app.low partition of app.parts for values from (0) to (100);
  create table app.high partition of app.parts for values from (100) to (1000);
  insert into app.parts values (1, 'low'), (100, 'high');
  create table app.other (id int primary key, v text); insert into app.other values (1, 'one')`;

async function makePair(
  name: string,
  parts: Partial<TaskSpec> & { readonly schema?: string } = {},
): Promise<TaskPair> {
  // Without event triggers, as where the role may not make any.
  const sourceSettings = { CaptureDdls: false };
  const pair = await TaskPair.make({ source, target }, { schema, sourceSettings, ...parts, name });
  pairs.push(pair);
  return pair;
}

const resumed = { start: "resume-processing" } as const;

const additions = `
  begin;
  insert into app.t values (1001, 'before'); update app.t set v = 'before' where id = 7;
  insert into app.f values (77, 'before');
  create type app.mood as enum ('sad', 'glad');
  alter table app.t add column n int, add column m app.mood not null default 'glad',
    add column at timestamptz default '2026-01-01 12:00+00', add column a text[] default '{x,"y z"}';
  alter table app.f add column d numeric(10, 2) default 1.50;
  insert into app.parts values (2, 'before'); alter table app.parts add column p int not null default 8;
  insert into app.parts values (101, 'after', 9);
  insert into app.t values (1002, 'after', 5, 'sad', null, '{}'); insert into app.f values (77, 'after', 3);
  update app.t set n = id where id < 20; delete from app.f where a = 3; update app.f set v = 'w' where a = 4;
  commit;
  alter table app.t alter a set default '{later}', alter at drop default;
  insert into app.t (id, v) values (1003, 'default');
  comment on column app.t.n is 'a number';
  update app.t set id = id + 5000 where id < 30; delete from app.t where id = 1001`;

test("columns that tables get while they are replicated come to the target with what the rows show in them, and so do tables", async () => {
  const pair = await makePair("added");
  const task = await pair.replicate();
  // To be written anew is no change.
  await pair.query("vacuum full app.other");
  await pair.query(additions);
  await task.until(({ tables }) => tables.some(({ id, appliedDdls }) => id.name === "t" && appliedDdls > 0));
  await pair.query("alter table app.other add column w int; insert into app.other values (2, 'two', 2)");
  await pair.query(`create table app.fresh (id int primary key references app.t); insert into app.fresh values (100);
    create table app.highest partition of app.parts for values from (1000) to (2000);
    insert into app.parts values (1001, 'highest'), (102, 'high')`);
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.assertEqual();
  const added = task.findings.filter(({ code }) => code === "target.column_added");
  assert.deepEqual(added.map(({ subject }) => subject).toSorted(), [
    ...["app.f", "app.high", "app.low", "app.other"],
    ...Array(4).fill("app.t"),
  ]);
});

test("a task that was stopped follows the columns of the meantime, also when it is killed as soon as they are there", async () => {
  const pair = await makePair("meantime");
  await stop(await pair.replicate());
  await pair.query(additions);
  const killed = new TaskProcess({ ...pair.spec, ...resumed }, armingOf(killsIn("columns")[0]!));
  assert.equal((await killed.ended()).signal, "SIGKILL");
  await pair.query("alter table app.t add column more int default 3; insert into app.t (id) values (3000)");
  assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
  // What is known of a column survives the next stop, and so does what is no change: the drain recorded it.
  await pair.query("insert into app.t (id) values (3001)");
  await pair.query("vacuum full app.other");
  assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
  await pair.query("alter table app.other add column w int; insert into app.other values (2, 'two', 2)");
  assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
  await pair.assertEqual();
});

test("a task that only replicates follows columns of tables that were there before it", async () => {
  const pair = await makePair("only", { type: "cdc" });
  await pair.queryTarget(schema);
  const task = await pair.replicate();
  await pair.query("alter table app.t add column w int default 4; insert into app.t values (1001, 'x', 5)");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.query("alter table app.f add column w int");
  assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
  await pair.assertEqual();
});

test("a column that a detached partition got alone sets it aside, and does not come to the others", async () => {
  const pair = await makePair("apart");
  const task = await pair.replicate();
  await pair.query(`alter table app.parts detach partition app.low; alter table app.low add column own int not null default 5;
    insert into app.parts values (101, 'high'); insert into app.other values (2, 'two')`);
  assert.deepEqual(reasons((await drain(task)).progress), {
    low: "The table was altered by itself, and the target's is a partition of one that was not.",
  });
  for (const table of ["high", "other"]) {
    const rows = `select * from app.${table} order by id`;
    assert.deepEqual(await pair.queryTarget(rows), await pair.query(rows));
  }
});

const others = [
  "typed",
  "widened",
  "replaced",
  "renamed",
  "computed",
  "random",
  "fleeting",
  "dropped",
  "called",
  "one",
  "two",
];
const changes = `
  alter table app.typed alter v type varchar(10);
  alter table app.widened alter id type bigint;
  begin; alter table app.replaced drop column v; alter table app.replaced add column v text; commit;
  alter table app.renamed rename v to w;
  alter table app.computed alter v type text using v || '!';
  alter table app.random add column w float default random();
  alter table app.fleeting add column w int; alter table app.fleeting drop column w;
  drop table app.dropped;
  alter table app.called rename to named;
  begin; alter table app.one rename to middle; alter table app.two rename to one;
  alter table app.middle rename to two; commit;
  begin; create table app.staging (id int primary key); insert into app.staging values (1); drop table app.staging; commit`;

test("what else happens to a table sets it aside with the reason, and to be loaded again is all that it needs", async () => {
  const tables = others.map(
    (name) => `create table app.${name} (id int primary key, v text);
    insert into app.${name} select i, '${name}' || i from generate_series(1, 20) i`,
  );
  const child =
    "create table app.child (id int primary key, t int references app.typed); insert into app.child values (1, 1)";
  const pair = await makePair("others", { schema: [schema, ...tables, child].join(";\n") });
  const task = await pair.replicate();
  await pair.query(changes);
  await pair.query("insert into app.other values (2, 'two'); insert into app.typed values (99, 'x')");
  const outcome = await drain(task);
  const { dropped, called, named, ...told } = reasons(outcome.progress);
  assert.match(dropped!, /dropped/);
  assert.match(called!, /renamed|called app\.named/);
  // A table of another name is a new one, and the old one's key on the target has its key's name.
  assert.match(named!, /"called_pkey" already exists/);
  assert.deepEqual(told, {
    typed: "The table has another type in its column v.",
    widened: "The table has another type in its column id.",
    replaced: "The table lost its column v.",
    renamed: "The table calls its column v w now.",
    computed: "The table was written anew and had its column v changed.",
    random: "The table got the column w, and all its rows were written anew.",
    fleeting: "The table got columns that are gone again.",
    one: "The table is another one of the same name.",
    two: "The table is another one of the same name.",
  });
  assert.deepEqual(await pair.queryTarget("select id from app.other order by id"), [{ id: 1 }, { id: 2 }]);
  await pair.queryTarget("drop table app.dropped, app.called");
  const again = await pair.replicate(resumed);
  const back = [...others.filter((name) => name !== "dropped" && name !== "called"), "named"];
  again.running.reloadTables(back.map((name): TableId => ({ schema: "app", name })));
  await again.until(
    ({ phase, tables }) =>
      phase === "replicating" &&
      tables.filter(({ reloaded, state, error }) => reloaded && (state === "Table completed" || error))
        .length === back.length,
  );
  await pair.query("insert into app.renamed values (100, 'x'); insert into app.named values (100, 'x')");
  // Values that the column of before could not hold.
  await pair.query(`insert into app.widened select 3000000000 + i, 'x' from generate_series(1, 3) i;
    update app.widened set v = 'y' where id = 3000000001; delete from app.widened where id = 3000000002`);
  const { suspendedTables } = await drain(again);
  assert.deepEqual(suspendedTables.map(({ name }) => name).toSorted(), ["called", "dropped"]);
  await pair.assertEqual();
});

test("a full load that has a table's rows is done with it, also when the source drops it", async () => {
  const pair = await makePair("done", { type: "full-load" });
  assert.equal((await new ObservedTask(pair.spec).running.outcome).state, "stopped");
  await pair.query("drop table app.other");
  const { state, suspendedTables } = await new ObservedTask({ ...pair.spec, ...resumed }).running.outcome;
  assert.deepEqual([state, suspendedTables], ["stopped", []]);
});

test("where tables are not to be altered a new column is left out, and comes when the table is loaded again", async () => {
  const settings = JSON.stringify({ ChangeProcessingDdlHandlingPolicy: { HandleSourceTableAltered: false } });
  const pair = await makePair("unaltered", { settings });
  const task = await pair.replicate();
  await pair.query("alter table app.t add column w int default 1; insert into app.t values (1001, 'x', 2)");
  await pair.query("update app.t set v = 'y', w = 7 where id = 3");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  assert.deepEqual(
    task.findings.filter(({ code }) => code === "source.column_left_out").map(({ subject }) => subject),
    ["app.t"],
  );
  const rows = await pair.queryTarget("select * from app.t where id in (3, 1001) order by id");
  assert.deepEqual(rows, [
    { id: 3, v: "y" },
    { id: 1001, v: "x" },
  ]);
  const again = await pair.replicate({ ...resumed, settings: "{}" });
  await pair.query("alter table app.t add column x int; insert into app.t values (1002, 'x', 2, 3)");
  again.running.reloadTables([{ schema: "app", name: "t" }]);
  await again.until(
    ({ phase, tables }) =>
      phase === "replicating" &&
      tables.some(({ reloaded, state }) => reloaded && state === "Table completed"),
  );
  await pair.query("insert into app.t values (1003, 'x', 2, 3)");
  assert.deepEqual((await drain(again)).suspendedTables, []);
  await pair.assertEqual();
});
