import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { Finding } from "../../src/core/finding.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { ObservedTask, TaskProcess, taskSpec } from "../support/task.ts";
import { validated } from "../support/validation.ts";

/* Writes of others that last a moment are told, and what Tideway does to the target itself is not. */

const server = await serverOfFile(startPostgres());

async function session(database: string, user: string): Promise<pg.Client> {
  const url = new URL(server.url(database));
  [url.username, url.password] = [user, "pw"];
  const client = new pg.Client({ connectionString: url.href, application_name: `${user} program` });
  await client.connect();
  return client;
}

const told = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ code }) => code === "target.foreign_writes")
    .map(({ message }) => message.replace(/, session \d+/, ""));

/** Two databases with the same tables, and the task that keeps them equal. */
async function pair(schema: string) {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  await server.query(schema, from);
  const spec = taskSpec({
    ...{ type: "full-load-and-cdc", source: endpointOf(server, from), target: endpointOf(server, to) },
  });
  return { from, to, spec };
}

test("a statement that commits by itself is told with its user, while nothing is applied and while much is", async () => {
  const { from, to, spec } = await pair(
    "create table item (id int primary key, word text); create table busy (id int primary key, word text)",
  );
  await server.query("create role app login password 'pw'; create role stranger login password 'pw'");
  const task = new ObservedTask(spec);
  await task.until(({ phase }) => phase === "replicating");
  await server.query("grant all on item, busy to app; grant select on item, busy to stranger", to);
  const [app, stranger] = [await session(to, "app"), await session(to, "stranger")];
  const stopping = new AbortController();
  try {
    await stranger.query("select 'insert into item', * from item");
    await assert.rejects(stranger.query("insert into busy values (-1)"), /permission denied/);
    await app.query("/* shop */ insert into item values (1000, 'mine')");
    const said = (table: string) =>
      `The user app has sent a statement that writes to the target's table public.${table} (application app program, from 127.0.0.1).`;
    await eventually("the first", async () => told(task.findings).length > 0);
    assert.deepEqual(told(task.findings), [said("item")]);
    const writing = (async () => {
      for (let id = 0; !stopping.signal.aborted; id++) {
        await server.query(`insert into busy values (${id}, 'theirs')`, from);
      }
    })();
    await eventually("what is applied", async () => task.last!.tables.some(({ inserts }) => inserts > 5));
    await app.query("update busy set word = 'mine' where id = 0");
    await eventually("the second", async () => told(task.findings).length > 1);
    stopping.abort();
    await writing;
    assert.deepEqual(told(task.findings), [said("item"), said("busy")]);
  } finally {
    stopping.abort();
    for (const client of [app, stranger]) await client.end();
    task.running.stop();
    await task.running.outcome;
  }
});

test("neither a load, changes, cascades, triggers, a reload nor another task is somebody, and who hides his statement is", async () => {
  const { from, to, spec } = await pair(
    `create table parent (id int primary key); create table marker (id int);
     create table child (id int primary key, parent int references parent on delete cascade); create table audit (id int);
     alter table marker replica identity full; alter table audit replica identity full;
     insert into parent select generate_series(1, 100); insert into child select i, i from generate_series(1, 100) i`,
  );
  const task = new ObservedTask(spec);
  await task.until(({ phase }) => phase === "replicating");
  await server.query(
    `create function note() returns trigger language plpgsql as 'begin insert into audit values (1); return null; end';
     create trigger note after delete on child for each row execute function note(); alter table child enable always trigger note`,
    to,
  );
  await server.query("insert into parent values (500); delete from parent where id <= 50", from);
  const left = async () => (await server.query("select count(*)::int as n from child", to))[0].n === 50;
  await eventually("the cascade", left);
  task.running.reloadTables([{ schema: "public", name: "parent" }]);
  await task.until(({ tables }) =>
    tables.some((table) => table.reloaded && table.state === "Table completed"),
  );
  // Of another process, which brings the same changes.
  const other = new TaskProcess(taskSpec({ ...spec, id: `${spec.id}_other`, type: "cdc" }));
  const hasBegun = "select from pg_stat_activity where application_name = 'tideway apply'";
  await eventually("the other task", async () => (await server.query(hasBegun)).length > 1);
  await server.query("delete from parent where id <= 60; insert into parent values (501)", from);
  await eventually(
    "both",
    async () => (await server.query("select from parent where id = 501", to)).length > 0,
  );
  await other.kill();
  const hidden = "do $$ begin insert into marker values (1); end $$";
  await eventually("somebody", async () => {
    await server.query(hidden, to);
    return told(task.findings).length > 0;
  });
  task.running.stop();
  await task.running.outcome;
  const [only, ...others] = told(task.findings);
  // A look may come just while a statement is at work: then its user is seen.
  assert.match(
    only!,
    /^(Somebody writes to the target's table public\.marker: \d+ rows? w\w+ written in the last \d+ seconds, in which Tideway wrote nothing to it|The user postgres writes to the target's table public\.marker \(from 127\.0\.0\.1\))\.$/,
  );
  assert.deepEqual(others, []);
});

test("while databases are compared and repaired the repair is nobody's", async () => {
  const { from, to, spec } = await pair(
    "create table item (id int primary key); insert into item values (1)",
  );
  await server.query("create table item (id int primary key)", to);
  const { findings, repaired } = await validated(
    { ...spec, type: "full-load" },
    { repair: { kind: "apply" } },
  );
  assert.equal(repaired.length, 1);
  assert.deepEqual(told(findings), []);
  assert.equal(
    (await server.query("select from item", to)).length,
    (await server.query("select from item", from)).length,
  );
});
