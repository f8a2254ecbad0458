import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { peakMemory } from "../support/peak-memory.ts";
import { serverPair } from "../support/server-pair.ts";
import { schemas, TaskProcess, taskSpec } from "../support/task.ts";

const MEMORY_LIMIT_MB = 512;

const { source, target } = await serverPair();

/**
 * Loads and replicates a database in a process of its own: `schema` before, `changes` while it
 * replicates. Both sides must be equal, and the process must have stayed within the limit.
 */
async function migrates(
  name: string,
  schema: string,
  changes: string,
  report: (message: string) => void,
): Promise<void> {
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  if (schema !== "") await source.query(schema, from);
  const task = new TaskProcess(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
    }),
  );
  const ended = task.ended();
  let peak = 0;
  const watch = setInterval(() => {
    if (task.child.exitCode === null && task.child.signalCode === null) {
      peak = Math.max(peak, peakMemory(task.child.pid!));
    }
  }, 100);
  try {
    await task.until((progress) => progress.phase === "replicating");
    if (changes !== "") await source.query(changes, from);
    task.order({ drain: true });
    const { outcome } = await ended;
    assert.equal(outcome?.state, "stopped", JSON.stringify(outcome?.error));
    assert.deepEqual(outcome?.suspendedTables, []);
  } finally {
    clearInterval(watch);
    task.kill();
  }
  report(`peak memory ${peak.toFixed(0)} MB`);
  assert.ok(peak > 0 && peak < MEMORY_LIMIT_MB, `${peak} MB`);
  await assertEqualDatabases({ source, from, target, to, schemas: schema === "" ? ["public"] : ["app"] });
}

test("a value of 200 MB arrives in full load and as a change", async (t) => {
  await migrates(
    "huge",
    `create schema app; create table app.docs (id int primary key, body text, raw bytea);
     alter table app.docs alter body set storage external, alter raw set storage external;
     insert into app.docs values (1, repeat('abcdefghij', 20000000), null), (2, null, decode(repeat('00ff', 100), 'hex'))`,
    `insert into app.docs values (3, repeat('0123456789', 20000000), '\\x01');
     update app.docs set raw = '\\x02' where id = 1`,
    (message) => t.diagnostic(message),
  );
});

test("a table of 1,000 columns arrives in full load and as changes", async (t) => {
  const columns = Array.from({ length: 999 }, (_, i) => `c${i} ${["int", "text", "numeric", "bool"][i % 4]}`);
  const values = Array.from({ length: 999 }, (_, i) => ["i", "'t' || i", "i / 3.0", "i % 2 = 0"][i % 4]);
  await migrates(
    "wide",
    `create schema app; create table app.wide (id int primary key, ${columns.join(", ")});
     insert into app.wide select i, ${values.join(", ")} from generate_series(1, 2000) i`,
    `update app.wide set c501 = 'changed', c0 = null where id % 3 = 0; delete from app.wide where id % 7 = 0`,
    (message) => t.diagnostic(message),
  );
});

test("2,000 tables arrive in full load and as changes", async (t) => {
  await migrates(
    "many",
    `create schema app;
     do $$ begin for i in 1..2000 loop
       execute format('create table app.t%s (id int generated always as identity primary key, v text)', i);
       execute format('insert into app.t%s (v) select ''v'' || n from generate_series(1, 5) n', i);
     end loop; end $$`,
    `do $$ begin for i in 1..2000 by 10 loop
       execute format('update app.t%s set v = ''new'' where id = 1; insert into app.t%s (v) values (''more'')', i, i);
     end loop; end $$`,
    (message) => t.diagnostic(message),
  );
});

test("an empty database is done at once", async (t) => {
  await migrates("empty", "", "", (message) => t.diagnostic(message));
});

test("a transaction of half a million rows arrives whole in bounded memory", async (t) => {
  await migrates(
    "large",
    "create schema app; create table app.t (id int primary key, v text)",
    "insert into app.t select i, repeat('y', 200) from generate_series(1, 500000) i; delete from app.t where id % 5 = 0",
    (message) => t.diagnostic(message),
  );
});
