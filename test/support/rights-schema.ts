/** A schema `app` with every kind of object, owners and privileges of roles that the test makes. */
export const RIGHTS_SCHEMA = `
  create schema app;
  create type app.mood as enum ('good', 'bad');
  create type app.pair as (a integer, b text);
  create domain app.positive as integer check (value > 0);
  create collation app.plain (locale = 'C');
  create sequence app.ticket;
  create table app.item (
    id bigint generated always as identity primary key, n serial, mood app.mood, secret text, other integer);
  create statistics app.item_facts on n, other from app.item;
  create table app.archive (id integer primary key, note text);
  create table app.events (at date, id integer, primary key (at, id)) partition by range (at);
  create table app.events_1 partition of app.events for values from ('2024-01-01') to ('2025-01-01');
  create view app.names as select id from app.item;
  create view app.notes as select id from app.archive;
  create materialized view app.totals as select count(*) from app.item;
  create function app.total(integer, app.mood) returns integer language sql as 'select $1';
  create procedure app.reset() language sql as 'select 1';
  create aggregate app.largest (integer) (sfunc = int4larger, stype = integer);
  insert into app.item (secret) select 's' || i from generate_series(1, 20) i;
  insert into app.archive select i, 'n' from generate_series(1, 20) i;
  grant usage on schema app to public;
  grant all on schema app to writer with grant option;
  do $$ declare one record; begin
    for one in values ('table app.item'), ('table app.archive'), ('table app.events'), ('table app.events_1'),
      ('view app.names'), ('sequence app.ticket'), ('type app.mood'), ('domain app.positive'), ('collation app.plain'),
      ('routine app.total(integer, app.mood)'), ('procedure app.reset()'), ('schema app')
    loop execute format('alter %s owner to "App Owner"', one.column1); end loop; end $$;
  alter materialized view app.totals owner to writer;
  alter view app.notes owner to writer;
  alter statistics app.item_facts owner to writer;
  alter table app.archive owner to keeper;
  grant select on app.item to reader;
  grant insert, update on app.item to writer with grant option;
  set role writer; grant insert on app.item to reader, auditor; reset role;
  grant select (id), update (secret) on app.item to auditor;
  grant select (mood) on app.item to reader with grant option;
  grant references on app.archive to public;
  revoke delete, truncate on app.archive from keeper;
  grant select on app.names, app.events to public;
  grant select on app.notes to reader with grant option;
  grant usage on sequence app.ticket to reader;
  grant select on sequence app.item_id_seq, app.item_n_seq to reader;
  revoke execute on routine app.total(integer, app.mood) from public;
  grant execute on routine app.total(integer, app.mood) to reader;
  revoke all on routine app.largest(integer) from public;
  revoke all on type app.mood from public;
  grant usage on type app.pair to reader with grant option;
  alter default privileges for role "App Owner" in schema app grant select, insert on tables to reader;
  alter default privileges for role "App Owner" in schema app grant usage on sequences to writer with grant option;
  alter default privileges for role writer in schema app grant execute on functions to reader;
  alter default privileges for role writer in schema app grant usage on types to auditor;`;
