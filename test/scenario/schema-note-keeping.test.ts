import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanUpTask } from "../../src/server/run-task.ts";
import { becomesTrue } from "../support/eventually.ts";
import { drain, notedPairs, reasons, stop } from "../support/noted-schema.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask } from "../support/task.ts";

/* How the event triggers that note schema changes are made, shared, guarded and removed. */

const servers = await serverPair();
const makePair = notedPairs(servers);

const resumed = { start: "resume-processing" } as const;

/** What Tideway has made on the source to have schema changes noted. */
const INSTALLED = `select evtname as name from pg_event_trigger union all
  select proname from pg_proc where proname ~ 'tideway' union all
  select nspname from pg_namespace where nspname ~ 'tideway' order by 1`;

/** Which they are: what is made again is another. */
const MADE = `select oid::text, xmin::text from pg_event_trigger union all
  select oid::text, relfilenode::text from pg_class where relname = 'note_key' order by 1`;

test("two tasks of a database share what notes schema changes, which neither hinders the application nor outlasts them", async () => {
  const pair = await makePair("shared");
  await pair.query(`create role app_owner_${process.pid}; grant all on schema app to app_owner_${process.pid};
    alter table app.t owner to app_owner_${process.pid}`);
  const one = await pair.replicate();
  const twin = await makePair("twin", { schema: "select" });
  const second = { ...twin.spec, source: pair.spec.source };
  const two = await twin.replicate(second);
  assert.equal((await pair.query(INSTALLED)).length, 5);
  const made = await pair.query(MADE);
  // A role with no right to anything else, in a session whose names mean something else.
  await pair.query(`set role app_owner_${process.pid}; set search_path = app; create temp table pg_class (oid int);
    alter table t rename v to w; insert into t (id, w) values (1001, 'x')`);
  for (const task of [one, two]) assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.assertEqual();
  const stopped = new ObservedTask({ ...second, start: "reload-target" });
  await stopped.until(({ phase }) => phase === "replicating");
  await stop(stopped);
  await cleanUpTask(pair.spec, new AbortController().signal);
  const last = new ObservedTask({ ...second, start: "reload-target" });
  await last.until(({ phase }) => phase === "replicating");
  await stop(last);
  assert.deepEqual(await pair.query(MADE), made);
  assert.equal((await pair.query(INSTALLED)).length, 5);
  await cleanUpTask(second, new AbortController().signal);
  assert.deepEqual(await pair.query(INSTALLED), []);
  await pair.query(`drop owned by app_owner_${process.pid}; drop role app_owner_${process.pid}`);
});

test("a role that may not make event triggers is told so, and new columns are followed all the same", async () => {
  const pair = await makePair("unprivileged");
  const role = `tideway_source_${process.pid}`;
  await pair.query(`create role ${role} login replication password 'secret'; grant all on schema app to ${role};
    grant create on database ${pair.from} to ${role}`);
  await pair.query(`do $$ declare t regclass; begin for t in select oid from pg_class where relnamespace = 'app'::regnamespace
    and relkind in ('r', 'p') loop execute format('alter table %s owner to ${role}', t); end loop; end $$`);
  const from = { ...pair.spec.source, username: role, password: "secret" };
  const task = await pair.replicate({ source: from });
  assert.deepEqual(await pair.query(INSTALLED), []);
  assert.equal(task.findings.filter(({ code }) => code === "source.changes_unnoted").length, 1);
  await pair.query(`alter role ${role} superuser`);
  await pair.query("alter table app.t add column w int default 3; alter table app.f rename v to w");
  await pair.query("insert into app.f values (1, 'x')");
  const outcome = await drain(task);
  assert.deepEqual(reasons(outcome.progress), { f: "The table calls its column v w now." });
  // An attempt has begun since, which has not tried to make them again.
  assert.deepEqual(await pair.query(INSTALLED), []);
});

test("what happens while the event triggers are off is found by comparing, and what is noted later is followed again", async () => {
  const pair = await makePair("unnoted");
  const task = await pair.replicate();
  const [off, on] = ["disable", "enable always"].map((how) => {
    return ["end", "rewrite", "drop"]
      .map((name) => `alter event trigger tideway_note_${name} ${how}`)
      .join("; ");
  });
  await pair.query(
    `${off}; alter table app.t add column quiet int default 5; alter table app.f rename v to w; ${on}`,
  );
  await pair.query("insert into app.t (id, quiet) values (1001, 6); insert into app.f values (1, 'x')");
  await pair.query("alter table app.other rename v to w; insert into app.other values (2, 'two')");
  const outcome = await drain(task);
  assert.deepEqual(reasons(outcome.progress), { f: "The table calls its column v w now." });
  const again = await pair.replicate(resumed);
  await pair.query("alter table app.t rename quiet to loud; insert into app.t (id, loud) values (1002, 7)");
  again.running.reloadTables([{ schema: "app", name: "f" }]);
  await again.until(({ phase, tables }) => {
    const isDone = tables.some(
      ({ id, reloaded, state }) => id.name === "f" && reloaded && state === "Table completed",
    );
    return isDone && phase === "replicating";
  });
  assert.deepEqual(reasons((await drain(again)).progress), {});
  await pair.assertEqual();
});

test("what another user of the source writes in the form of a note is none, and what describes tables runs nothing of theirs", async () => {
  const pair = await makePair("forged");
  const role = `forger_${process.pid}`;
  await pair.query(`create role ${role}; grant create on schema public to ${role}; grant all on schema app to ${role};
    create table public.ran (by text); grant insert on public.ran to ${role}; alter table app.parts owner to ${role};
    alter table app.low owner to ${role}; alter table app.high owner to ${role}; set role ${role};
    create function public.tideway_note_change() returns event_trigger language plpgsql as 'begin end'`);
  const task = await pair.replicate();
  await pair.query(`set role ${role}; create function app.quote_ident(name) returns text language sql as
      $$ insert into public.ran values (current_user) returning pg_catalog.quote_ident($1::text) $$`);
  const [owned] = await pair.query(
    "select proowner::regrole = current_user::regrole as own from pg_proc where proname = 'tideway_note_change'",
  );
  assert.equal(owned!["own"], true);
  await assert.rejects(pair.query(`set role ${role}; table tideway_notes.note_key`), /permission denied/);
  const shape = `json_build_object('table', 'app.blue'::regclass::oid::text, 'columnsEver', 0, 'columns', '[]'::json)`;
  await pair.query(`set role ${role}; select pg_logical_emit_message(true, 'tideway note ' || k, json_build_object('schema', 'app',
      'name', 'blue', 'dropped', true, 'shape', ${shape})::text) from unnest(array['', '1']) k; reset role;
    select pg_logical_emit_message(true, 'tideway', 'anything'); insert into app.other values (2, 'two'); set role ${role};
    alter table app.parts rename w to u; reset role; insert into app.parts values (5, 'five', 'u')`);
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.query("drop function app.quote_ident(name)");
  await pair.assertEqual();
  assert.deepEqual(await pair.query("table public.ran"), []);
  await pair.query(`drop owned by ${role}; drop role ${role}`);
});

test("event triggers that go before the stream is opened are made again, and what comes then is followed", async () => {
  const pair = await makePair("lost");
  const writer = await servers.source.connect(pair.from);
  await writer.query("begin; insert into app.other values (2, 'two')");
  // It waits for the writer, with notes that it has made.
  const task = new ObservedTask(pair.spec);
  const since = "obj_description(oid, 'pg_event_trigger') is not null";
  await becomesTrue(servers.source, pair.from, `exists (select from pg_event_trigger where ${since})`);
  await pair.query("drop function public.tideway_note_change() cascade; drop schema tideway_notes cascade");
  await writer.query("commit");
  await writer.end();
  await task.until(({ phase }) => phase === "replicating");
  assert.equal((await pair.query(INSTALLED)).length, 5);
  await pair.query("alter table app.f rename v to w; insert into app.f values (1, 'x')");
  assert.deepEqual(reasons((await drain(task)).progress), {});
  await pair.assertEqual();
});
