import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everything } from "../support/mapping-rules.ts";
import { serverPair } from "../support/server-pair.ts";
import { TaskPair, type TaskParts } from "../support/task-pair.ts";

/* What a value that is longer than large objects may be leads to, and what is made of one. */

const servers = await serverPair();
const pairs: TaskPair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

const SCHEMA = `create schema app;
  create table app.doc (id int primary key, t text);
  create table app.other (id int primary key);
  insert into app.doc values (1, 'short'), (2, repeat('x', 1024));
  insert into app.other values (1)`;

const limit = {
  ...{ "rule-type": "table-settings", "rule-id": 7, "rule-name": "7" },
  "object-locator": { "schema-name": "app", "table-name": "doc" },
  "lob-settings": { mode: "limited", "bulk-max-size": 1 },
};

function document(...rules: readonly object[]): string {
  return JSON.stringify({ rules: [everything, limit, ...rules] });
}

function policy(name: string): string {
  return JSON.stringify({
    ErrorBehavior: { DataTruncationErrorPolicy: name, RecoverableErrorInterval: 1 },
  });
}

async function pairOf(parts: TaskParts): Promise<TaskPair> {
  const pair = await TaskPair.make(servers, {
    name: "cuts",
    schema: SCHEMA,
    tableMappings: document(),
    ...parts,
  });
  pairs.push(pair);
  return pair;
}

const TOO_LONG = "insert into app.doc values (3, repeat('y', 1025)); insert into app.other values (2)";

const idsOf = async (pair: TaskPair, name: string): Promise<readonly number[]> => {
  const rows = await pair.queryTarget(`select id from app.${name} order by id`);
  return rows.map(({ id }: { readonly id: number }) => id);
};

test("with SUSPEND_TABLE a table is set aside at a value that is too long, when it is loaded", async () => {
  const pair = await pairOf({ settings: policy("SUSPEND_TABLE") });
  await pair.query(TOO_LONG);
  const { outcome } = pair.run({ type: "full-load" }).running;
  const { state, suspendedTables, progress } = await outcome;
  assert.deepEqual([state, suspendedTables.map(({ name }) => name)], ["stopped", ["doc"]]);
  const doc = progress.tables.find(({ id }) => id.name === "doc")!;
  assert.deepEqual([doc.error?.code, doc.cutValues], ["mapping.value_cut", 0]);
  assert.deepEqual(await idsOf(pair, "doc"), []);
  assert.deepEqual(await idsOf(pair, "other"), [1, 2]);
});

test("with SUSPEND_TABLE a table is set aside at a change with such a value, and the others go on", async () => {
  const pair = await pairOf({ settings: policy("SUSPEND_TABLE") });
  const task = await pair.replicate();
  await pair.query("update app.doc set t = t || '' where id = 2");
  await pair.query(TOO_LONG);
  await task.until(({ tables }) => tables.some(({ error }) => error?.code === "mapping.value_cut"));
  await task.until(({ phase, tables }) => {
    return (
      phase === "replicating" &&
      tables.some(({ id, appliedInserts }) => id.name === "other" && appliedInserts === 1)
    );
  });
  task.running.drain();
  assert.equal((await task.running.outcome).state, "stopped");
  assert.deepEqual(await idsOf(pair, "doc"), [1, 2]);
  assert.deepEqual(await idsOf(pair, "other"), [1, 2]);
});

const stops: readonly (readonly [what: string, parts: TaskParts])[] = [
  ["with STOP_TASK", { settings: policy("STOP_TASK") }],
  ["with the endpoint's FailTasksOnLobTruncation", { sourceSettings: { FailTasksOnLobTruncation: true } }],
  [
    "with that setting and SUSPEND_TABLE",
    { settings: policy("SUSPEND_TABLE"), sourceSettings: { FailTasksOnLobTruncation: true } },
  ],
];

for (const [what, parts] of stops) {
  test(`${what} the task fails at a value that is too long, by load and by change`, async () => {
    const pair = await pairOf(parts);
    const task = await pair.replicate();
    await pair.query(TOO_LONG);
    const changed = await task.running.outcome;
    assert.deepEqual([changed.state, changed.error?.code], ["failed", "mapping.value_cut"]);
    assert.match(changed.error!.message, /^A value of the column t is longer than large objects may be/);
    assert.deepEqual(await idsOf(pair, "doc"), [1, 2]);
    const loaded = await pair.run({ type: "full-load", start: "reload-target" }).running.outcome;
    assert.deepEqual([loaded.state, loaded.error?.code], ["failed", "mapping.value_cut"]);
    assert.deepEqual(await idsOf(pair, "doc"), []);
  });
}

test("IGNORE_RECORD, by which rows would be left out, is refused where values may be cut off, and only there", async () => {
  const pair = await pairOf({ settings: policy("IGNORE_RECORD") });
  const { state, error } = await pair.run({ type: "full-load" }).running.outcome;
  assert.deepEqual([state, error?.code], ["failed", "settings.unsupported"]);
  assert.deepEqual(await pair.queryTarget("select from pg_namespace where nspname = 'app'"), []);
  await pair.load({ tableMappings: JSON.stringify({ rules: [everything] }) });
  await pair.assertEqual();
});

test("a document with AWS's defaults cuts nothing off, and says so", async () => {
  const defaults = { LimitedSizeLobMode: null, LobMaxSize: 1, FullLobMode: false };
  const pair = await pairOf({
    settings: JSON.stringify({ TargetMetadata: defaults }),
    tableMappings: JSON.stringify({ rules: [everything] }),
  });
  await pair.query(TOO_LONG);
  const { findings } = await pair.load();
  await pair.assertEqual();
  const told = findings.filter(({ subject }) => subject === "TargetMetadata.LobMaxSize");
  assert.match(told[0]!.message, /by default alone and cuts nothing off/);
});

test("what rules make of a value that is cut off is made of all of it; what it was before is cut off, too", async () => {
  const about = (action: string, column: string | undefined, more: object, id: number): object => ({
    ...{ "rule-type": "transformation", "rule-id": id, "rule-name": id },
    ...{ "rule-target": "column", "rule-action": action },
    "object-locator": {
      ...{ "schema-name": "app", "table-name": "doc" },
      ...(column === undefined ? {} : { "column-name": column }),
    },
    ...more,
  });
  const added = { value: "size", expression: "length($t)", "data-type": { type: "int4" } };
  const images = { "before-image-def": { "column-prefix": "BI_", "column-filter": "all" } };
  const pair = await pairOf({
    tableMappings: document(
      about("add-column", undefined, added, 8),
      about("add-before-image-columns", undefined, images, 9),
      about("data-masking-digits-mask", "t", { value: "#" }, 10),
    ),
  });
  await pair.query(`alter table app.doc add u text;
    alter table app.doc replica identity full;
    insert into app.doc values (3, repeat('7', 2000), repeat('é', 1000)), (4, null, null)`);
  const task = await pair.replicate();
  await pair.query(`update app.doc set t = repeat('2', 4000), u = 'new' where id = 3;
    insert into app.doc values (5, repeat('5', 3000), 'short'); update app.doc set id = 6 where id = 5`);
  const { progress } = await pair.drain(task);
  const rows =
    await pair.queryTarget(`select id, size, length(t) as t, t ~ '^#*$' as masked, u, length("BI_u") as was
    from app.doc where id > 2 order by id`);
  assert.deepEqual(rows, [
    { id: 3, size: 4000, t: 1024, masked: true, u: "new", was: 512 },
    { id: 4, size: null, t: null, masked: null, u: null, was: null },
    { id: 6, size: 3000, t: 1024, masked: true, u: "short", was: 5 },
  ]);
  // Two by the load, three by changes of t, one before image.
  assert.equal(progress.tables.find(({ id }) => id.name === "doc")!.cutValues, 6);
});
