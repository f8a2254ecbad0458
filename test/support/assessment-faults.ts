/*
 * Faults that test/scenario/assessment-matrix.test.ts plants, all at once.
 */

/** In a PostgreSQL source whose user is `reader`; its server lacks what a log takes. */
export const POSTGRES_SOURCE_FAULTS = `
  create role keeper; create role reader login password 'p';
  create schema app authorization reader; grant usage, create on schema app to keeper;
  create table app.hidden (id int primary key); alter table app.hidden owner to keeper;
  create table app.guarded (id int primary key); alter table app.guarded owner to reader;
  alter table app.guarded enable row level security; alter table app.guarded force row level security;
  create table app.trees (id int primary key, tree pg_node_tree); alter table app.trees owner to reader;
  create extension file_fdw;
  set role reader;
  create table app.kept (id int primary key, t text);
  create table app.keyless (what text);
  create unlogged table app.fleeting (id int primary key);
  create table app.other (id int primary key);
  create table app.child (id int primary key, o int references app.other);
  create table app.masked (id int primary key, hashed varchar(20), masked date, random date);
  create table app.one (id int primary key); create table app.two (id int primary key)`;

export const SELECTED_BADLY: readonly object[] = ["nowhere", "app"].map((name) => ({
  "rule-type": "selection",
  "rule-action": name === "app" ? "exclude" : "include",
  "object-locator": { "schema-name": name, "table-name": name === "app" ? "other" : "%" },
}));

/** In a PostgreSQL target whose user is `writer`; the table is one of the source's. */
export const POSTGRES_TARGET_FAULTS = `
  create role writer login password 'p';
  create schema app;
  create table app.kept (id int, t text); create index also on app.kept (t);
  create function app.f() returns trigger language plpgsql as 'begin return new; end';
  create trigger acts before insert on app.kept for each row execute function app.f();
  alter table app.kept enable always trigger acts`;

/** In a PostgreSQL source that goes to a MariaDB which keeps the names of tables in lower case. */
export const FOREIGN_FAULTS = `
  create schema app;
  create type app.geometry as (x int, y int);
  create table app.shapes (id int primary key, g app.geometry);
  create table app.texts (t text primary key);
  create table app.same (id int primary key); create table app."Same" (id int primary key);
  create table app.wide (${["a", "b", "c", "d"].map((name) => `${name} varchar(5000) not null unique`).join(", ")});
  create table app.${"n".repeat(63)} (id int primary key);
  create table app.kept (id int primary key, t varchar(9), b bytea)`;

/** On the MariaDB that it goes to, whose user is `writer`. */
export const MARIADB_TARGET_FAULTS = `
  create user writer identified by 'p';
  create database app;
  create table app.kept (id int, t varchar(9), b longblob, key also (t));
  create trigger app.acts before insert on app.kept for each row set new.t = new.t`;

/** In a MariaDB source whose user is `reader`. */
export const MARIADB_SOURCE_FAULTS = `
  create user reader identified by 'p';
  create table hidden (id int primary key);
  create table old (id int primary key) engine = MyISAM;
  create table parted (id int primary key) partition by hash (id) partitions 2;
  create table squeezed (id int primary key, v varchar(1000) compressed);
  create table unseen (id int primary key, v int invisible);
  create table computed (id int primary key, v varchar(9), w varchar(20) as (concat(v, '\\\\')) stored);
  create table a (id int primary key, code varchar(9) unique);
  create table c (code varchar(9), constraint by_code foreign key (code) references a (code) on delete set null);
  create table versioned (id int primary key) with system versioning;
  create table masked (id int primary key, hashed varchar(20), masked date, random date);
  create table kept (id int primary key, t varchar(9), b longblob);
  insert into kept values (1, 'a', '');
  grant insert on hidden to reader;
  ${"old parted squeezed unseen computed a c versioned masked kept".replaceAll(/\w+/g, "grant select on $& to reader;")}
  change master to master_host = '127.0.0.1', master_port = 1, master_user = 'nobody'`;
