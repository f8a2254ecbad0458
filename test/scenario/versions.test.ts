import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { SERVER_VERSIONS } from "../support/server-packages.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

const schema = `
  create schema app;
  create type app.mood as enum ('sad', 'ok', 'very happy');
  create domain app.positive as int check (value > 0);
  create table app.owner (id serial primary key, name varchar(40) not null default 'nobody', born date);
  create table app.item (
    id bigint generated always as identity primary key, owner_id int references app.owner on delete cascade,
    mood app.mood, size app.positive, tags text[] not null default '{}', doc jsonb, price numeric(12,3),
    raw bytea, at timestamptz, took interval, code uuid, twice int generated always as (size * 2) stored,
    unique (owner_id, code));
  create index item_at on app.item (at desc) where price > 1;
  comment on table app.item is 'what is sold';
  alter table app.item set (fillfactor = 80, autovacuum_analyze_threshold = 77);
  alter table app.item alter column doc set storage external, alter column raw set statistics 33;
  create text search dictionary app.stems (template = snowball, language = 'english');
  create text search configuration app.words (copy = pg_catalog.english);
  alter text search configuration app.words alter mapping for asciiword with app.stems;
  insert into app.owner (name, born) select 'owner ' || i, date '2000-01-01' + i from generate_series(1, 50) i;
  insert into app.item (owner_id, mood, size, tags, doc, price, raw, at, took, code)
    select 1 + i % 50, (array['sad', 'ok', 'very happy', null])[1 + i % 4]::app.mood, 1 + i,
      array['a' || i, null, E'tab\\t"quote"\\\\'], jsonb_build_object('n', i, 's', E'line\\n\\u20ac'), i / 7.0,
      decode(md5(i::text), 'hex'), timestamptz '2020-01-01 00:00Z' + i * interval '1 minute',
      i * interval '1 hour 3 days', md5(i::text)::uuid
    from generate_series(1, 3000) i;`;

const changes = `
  update app.item set price = price + 1, doc = null where id % 3 = 0;
  update app.item set mood = 'sad', tags = tags || 'new'::text where id % 5 = 0;
  delete from app.owner where id = 7;
  insert into app.owner (name) values ('late');
  insert into app.item (owner_id, size, raw) values (51, 9, '\\x00ff');`;

/** Every supported version with its neighbours, both ways, and the oldest with the newest. */
const pairs = [
  ...SERVER_VERSIONS.slice(1).flatMap((version) => [
    [version - 1, version] as const,
    [version, version - 1] as const,
  ]),
  [12, 18],
  [18, 12],
] as const;

for (const [sourceVersion, targetVersion] of pairs) {
  test(`PostgreSQL ${sourceVersion} to ${targetVersion}: full load and changes leave equal databases`, async () => {
    await using source = await startPostgres({ version: sourceVersion });
    await using target = await startPostgres({ version: targetVersion });
    await source.query(schema);
    const task = new ObservedTask(
      taskSpec({
        type: "full-load-and-cdc",
        source: endpointOf(source, "postgres"),
        target: endpointOf(target, "postgres"),
        tableMappings: schemas("app"),
      }),
    );
    await task.until((progress) => progress.phase === "replicating");
    await source.query(changes);
    task.running.drain();
    const outcome = await task.running.outcome;
    assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
    assert.deepEqual(outcome.suspendedTables, []);
    await assertEqualDatabases({ source, from: "postgres", target, to: "postgres", schemas: ["app"] });
  });
}

test("what an older server does not know of a table is told, and the rest is done", async () => {
  await using source = await startPostgres({ version: 18 });
  await using target = await startPostgres({ version: 12 });
  await source.query(`create table kept (id integer primary key, v text compression pglz)
    with (fillfactor = 60, autovacuum_vacuum_insert_threshold = 500, toast.autovacuum_enabled = off)`);
  const ends = { source: endpointOf(source, "postgres"), target: endpointOf(target, "postgres") };
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...ends }));
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const told = findings.filter(({ severity }) => severity !== "info");
  assert.deepEqual(told.map(({ code, subject }) => `${code} ${subject}`).sort(), [
    "target.object_not_made table parameter public.kept.autovacuum_vacuum_insert_threshold",
    "target.object_not_made table parameter public.kept.v compression",
  ]);
  const [row] = await target.query(
    `select c.reloptions::text as own, t.reloptions::text as toast
       from pg_class c join pg_class t on t.oid = c.reltoastrelid where c.relname = 'kept'`,
  );
  assert.deepEqual(row, { own: "{fillfactor=60}", toast: "{autovacuum_enabled=off}" });
});
