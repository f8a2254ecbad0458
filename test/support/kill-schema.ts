import { KillWriter, type Statement } from "./kill-writer.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** Rows of each of the two tables that are cut into partitions; larger keys may be changed and deleted. */
const ROWS = 40_000;
const FIXED = 10_000;

/**
 * What meets every step of a migration: tables that are cut by ranges of their key and by blocks, one
 * without a key, one with an identity, foreign keys, unique keys, a partitioned table, a view, a trigger
 * that would write a second time if it were not silent.
 */
export const killSchema = `
  create schema app;
  create table app.ranged (id bigint primary key, a int not null, note text) with (autovacuum_enabled = false);
  create index ranged_a on app.ranged (a);
  create table app.blocks (id bigint primary key, a int not null, note text) with (autovacuum_enabled = false);
  create table app.child (id bigint generated always as identity primary key,
    ranged_id bigint not null references app.ranged, label text unique);
  create unique index child_lower on app.child (lower(label));
  create table app.event (note text, n int, primary key (note, n));
  create table app.log (note text, n int);
  alter table app.log replica identity full;
  create table app.part (id int primary key, v text) partition by range (id);
  create table app.part_low partition of app.part for values from (minvalue) to (500);
  create table app.part_high partition of app.part for values from (500) to (maxvalue);
  create view app.events as select note, count(*) as n from app.event group by note;
  create function app.note_event() returns trigger language plpgsql as
    $$ begin insert into app.log values ('by trigger: ' || new.note, new.n); return new; end $$;
  create trigger event_noted after insert on app.event for each row execute function app.note_event();`;

/**
 * Rows for it. Two tables are spread over many pages and the server is told that they hold more rows than
 * they do, so that a small table is cut as a large one is.
 */
export const killRows = `
  alter table app.ranged set (fillfactor = 10);
  alter table app.blocks set (fillfactor = 10);
  insert into app.ranged select i, i % 100, repeat('x', 60) from generate_series(1, ${ROWS}) i;
  insert into app.blocks
    select i, i % 100, repeat('y', 60) from generate_series(1, ${ROWS}) i order by hashint4(i);
  alter table app.ranged reset (fillfactor);
  alter table app.blocks reset (fillfactor);
  insert into app.child (ranged_id, label) select i, 'c' || i from generate_series(1, 2000) i;
  insert into app.log select 'before', i from generate_series(1, 2000) i;
  insert into app.part select i, 'v' || i from generate_series(1, 499) i;
  analyze;
  select pg_restore_relation_stats('schemaname', 'app', 'relname', name, 'reltuples', 3500000::real,
    'relpages', (pg_relation_size(('app.' || name)::regclass) / current_setting('block_size')::int)::int)
    from unnest(array['blocks', 'ranged']) as name`;

/** An application of that schema. */
export class KillWorkload extends KillWriter {
  static async start(server: PostgresServer, database: string, note: string): Promise<KillWorkload> {
    return new KillWorkload(await server.connect(database), transaction, note);
  }
}

function transaction(i: number, note: string): readonly Statement[] {
  const movable = FIXED + 3 + ((i * 7919) % (ROWS - FIXED - 3));
  return [
    ["select pg_sleep(0.02)", []],
    ["begin", []],
    ["update app.ranged set a = a + 1, note = $1 where id = $2", [note, 1 + ((i * 7919) % ROWS)]],
    ["update app.ranged set id = id + 10000000 where id = $1", [movable]],
    ["delete from app.ranged where id = $1", [movable + 1]],
    ["update app.blocks set a = a + 1, note = $1 where id = $2", [note, movable]],
    ["insert into app.child (ranged_id, label) values ($1, gen_random_uuid()::text)", [1 + (i % FIXED)]],
    ["insert into app.event values ($1, $2)", [note, i]],
    ["update app.part set id = 1001 - id, v = $1 where id in ($2, 1001 - $2)", [note, 1 + (i % 499)]],
    ["delete from app.log where n = $1", [i % 2000]],
    ["commit", []],
  ];
}
