import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { describe, listTables } from "../catalog/catalog.ts";
import { assessLeftOut } from "./assess-left-out.ts";

/** One of each kind that is not moved. */
const objects = `
  create schema app;
  create table app.t (id integer primary key, v text);
  create function app.same(text, integer) returns boolean language sql immutable as 'select $1 = $2::text';
  create operator app.=== (leftarg = text, rightarg = integer, function = app.same);
  create operator family app.numbers using btree;
  create operator class app.backwards for type integer using btree family app.numbers as
    operator 1 >, operator 2 >=, operator 3 =, operator 4 <=, operator 5 <, function 1 btint4cmp(integer, integer);
  create type app.mood as enum ('good', 'bad');
  create cast (text as app.mood) with inout;
  create transform for integer language sql (
    from sql with function prsd_lextype(internal), to sql with function int4recv(internal));
  create conversion app.latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
  create text search parser app.words (
    start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
  create text search template app.plain (init = dsimple_init, lexize = dsimple_lexize);
  create language other handler plpgsql_call_handler;
  create access method heap2 type table handler heap_tableam_handler;
  create table app.elsewhere (id integer primary key) using heap2;
  create foreign data wrapper none;
  create server far foreign data wrapper none;
  create user mapping for current_user server far;
  create foreign table app.distant (id integer) server far;
  create table app.trees (id integer primary key, tree pg_node_tree);
  create function app.tell() returns event_trigger language plpgsql as 'begin end';
  create event trigger tell on ddl_command_end execute function app.tell();
  create publication own for table app.t;
  create subscription other connection 'dbname=nowhere' publication own with (connect = false);
  create index expression on app.t (lower(v));
  alter index app.expression alter column 1 set statistics 200;
  create table app.config (name text); insert into app.config values ('a');
  alter default privileges grant select on tables to public`;

test("what is not moved is told before the start, each kind with its names", async () => {
  await using server = await startPostgres();
  const database = await server.createDatabase();
  await server.query(objects, database);
  // These cannot be part of a transaction.
  const client = await server.connect(database);
  try {
    await client.query("set allow_in_place_tablespaces = on");
    await client.query("create tablespace fast location ''");
    await client.query("create table app.placed (id integer primary key) tablespace fast");
    await client.query(`alter database ${database} set work_mem = '8MB'`);
    await client.query(`grant temporary on database ${database} to pg_monitor`);
    await client.query(`alter role postgres in database ${database} set work_mem = '9MB'`);
    await client.query("create extension earthdistance cascade");
    // No provider of labels comes with the server, nor an extension with rows of its own.
    await client.query(`set allow_system_table_mods = on;
      insert into pg_seclabel values ('app.t'::regclass, 'pg_class'::regclass, 0, 'anybody', 'secret');
      update pg_extension set extconfig = array['app.config'::regclass::oid] where extname = 'cube'`);
    const { tables } = await describe(client, await listTables(client));
    const request = { taskId: "t", type: "full-load", tables, resumes: false, ownOnly: false } as const;
    const findings = await assessLeftOut(client, {
      ...{ ...request, movesWhole: ["app"], movesRights: true, movesLargeObjects: false },
    });
    assert.ok(findings.every(({ code, severity }) => code === "source.not_moved" && severity === "warning"));
    assert.deepEqual(
      findings.map(({ message }) => message.replace(" are not moved:", ":")),
      [
        "Access methods: 1 (heap2).",
        "Access methods of tables: 1 (app.elsewhere).",
        "Casts: 1 (text to app.mood).",
        "Conversions: 1 (app.latin).",
        "Default privileges of all schemas: 1 (of postgres).",
        "Event triggers: 1 (tell).",
        "Foreign servers and their user mappings: 1 (far).",
        "Foreign tables: 1 (app.distant).",
        "Foreign-data wrappers: 1 (none).",
        "Operator classes: 1 (app.backwards).",
        "Operator families: 1 (app.numbers).",
        "Operators: 1 (app.===).",
        "Places in tablespaces: 1 (app.placed).",
        `Privileges on the database: 1 (${database}).`,
        "Procedural languages: 1 (other).",
        "Publications: 1 (own).",
        "Rows in tables of extensions: 1 (app.config).",
        "Security labels: 1 (on table app.t by anybody).",
        "Settings of the database and of roles in it: 2 (database, role postgres).",
        "Statistics targets of index columns: 1 (app.expression).",
        "Subscriptions: 1 (other).",
        "Text search parsers: 1 (app.words).",
        "Text search templates: 1 (app.plain).",
        "Transforms: 1 (integer).",
        "Values of types that take no input: 1 (app.trees.tree).",
      ],
    );
  } finally {
    await client.end();
  }
});
