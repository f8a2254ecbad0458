import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { connectTo } from "../../../../test/support/schema-plan.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { Catalog, LogicalType, TableSchema } from "../../../core/schema.ts";
import { describe, listSchemas, listTables } from "./catalog.ts";

const server = await serverOfFile(startPostgres());

async function catalogOf(sql: string, names?: readonly string[]): Promise<Catalog> {
  const database = await server.createDatabase();
  await server.query(sql, database);
  const client = await connectTo(server, database);
  try {
    const tables = await listTables(client);
    return await describe(
      client,
      tables.filter(({ name }) => names === undefined || names.includes(name)),
    );
  } finally {
    await client.end();
  }
}

function table(catalog: Catalog, name: string): TableSchema {
  const found = catalog.tables.find(({ id }) => id.name === name);
  assert.ok(found, `no table ${name}`);
  return found;
}

test("only ordinary tables and leaf partitions of user schemas are listed", async () => {
  const database = await server.createDatabase();
  const client = await connectTo(server, database);
  try {
    await client.query(
      `create schema "B c"; create schema _pg_; create table "B c"."T" (); create table plain ();
       create table _pg_.t (); create unlogged table not_logged ();
       create table parted (a integer) partition by list (a); create table leaf partition of parted for values in (1);
       create table sub partition of parted for values in (2) partition by list (a);
       create table "sub leaf" partition of sub default;
       create table base (); create table inherits () inherits (base);
       create view v as select 1; create materialized view m as select 1 as a;
       create table awsdms_apply_exceptions (); create table awsdms ();
       create foreign data wrapper f; create server s foreign data wrapper f; create foreign table ft () server s;
       create extension postgres_fdw; create table member (); alter extension postgres_fdw add table member;
       create temporary table temp ()`,
    );
    assert.deepEqual(
      (await listTables(client)).map(({ schema, name }) => `${schema}.${name}`),
      [
        "B c.T",
        "_pg_.t",
        "public.awsdms",
        "public.base",
        "public.inherits",
        "public.leaf",
        "public.not_logged",
        "public.plain",
        "public.sub leaf",
      ],
    );
    assert.deepEqual(await listSchemas(client), ["B c", "_pg_", "public"]);
  } finally {
    await client.end();
  }
});

test("an empty database and tables that have gone make an empty catalog", async () => {
  const catalog = await catalogOf("select 1");
  const { serverVersion, ...rest } = catalog;
  assert.match(serverVersion, /^18\./);
  assert.deepEqual(rest, {
    dialect: "postgres",
    schemas: [],
    types: [],
    sequences: [],
    tables: [],
    objects: [],
    rights: [],
  });
  const client = await connectTo(server, "postgres");
  try {
    assert.deepEqual((await describe(client, [{ schema: "public", name: "gone" }])).tables, []);
  } finally {
    await client.end();
  }
});

test("the row identity follows REPLICA IDENTITY", async () => {
  const catalog = await catalogOf(`
    create table by_default (a integer, dropped integer, b integer, primary key (b, a));
    alter table by_default drop column dropped;
    create table none (a integer unique);
    create table nothing (a integer primary key); alter table nothing replica identity nothing;
    create table "full" (a integer); alter table "full" replica identity full;
    create table full_with_key (a integer, b integer primary key);
    alter table full_with_key replica identity full;
    create table by_index (a integer primary key, b integer not null unique);
    alter table by_index replica identity using index by_index_b_key;
    create table index_gone (a integer primary key, b integer not null unique);
    alter table index_gone replica identity using index index_gone_b_key;
    alter table index_gone drop constraint index_gone_b_key;
    create table included (a integer not null, b integer, primary key (a) include (b))`);
  const identities = catalog.tables.map(({ id, key, rowIdentity }) => [id.name, rowIdentity, key]);
  assert.deepEqual(Object.fromEntries(identities.map(([name, ...rest]) => [name, rest])), {
    by_default: ["key", [1, 0]],
    by_index: ["key", [1]],
    full: ["full", []],
    full_with_key: ["full", [1]],
    included: ["key", [0]],
    index_gone: ["none", []],
    none: ["none", []],
    nothing: ["none", []],
  });
  assert.deepEqual(
    table(catalog, "by_index").indexes.map(({ name, replicaIdentity }) => [name, replicaIdentity]),
    [
      ["by_index_pkey", undefined],
      ["by_index_b_key", true],
    ],
  );
});

test("rows and bytes are estimated with and without statistics", async () => {
  const catalog = await catalogOf(`
    create table empty (a integer);
    create table fresh (a integer, b text);
    insert into fresh select i, repeat('x', 32) from generate_series(1, 50000) i;
    create table analyzed (a integer);
    insert into analyzed select generate_series(1, 50000);
    analyze analyzed;
    create table toasted (a text); alter table toasted alter a set storage external;
    insert into toasted values (repeat('x', 1000000)); analyze toasted`);
  assert.equal(table(catalog, "empty").estimatedRows, 0);
  assert.equal(table(catalog, "analyzed").estimatedRows, 50_000);
  const fresh = table(catalog, "fresh");
  assert.ok(fresh.estimatedRows > 25_000 && fresh.estimatedRows < 100_000, String(fresh.estimatedRows));
  assert.ok(fresh.estimatedBytes > 3_000_000);
  assert.equal(table(catalog, "toasted").estimatedRows, 1);
  assert.ok(table(catalog, "toasted").estimatedBytes > 1_000_000);
});

test("a foreign key to a partitioned table is one foreign key", async () => {
  const catalog = await catalogOf(`
    create table parted (a integer primary key) partition by range (a);
    create table p1 partition of parted for values from (0) to (10) partition by range (a);
    create table p11 partition of p1 for values from (0) to (5);
    create table p2 partition of parted for values from (10) to (20);
    create table plain (id integer primary key, a integer references parted);
    alter table parted add column plain integer references plain`);
  assert.deepEqual(
    table(catalog, "plain").foreignKeys.map(({ name, references }) => [name, references.name]),
    [["plain_a_fkey", "parted"]],
  );
  assert.deepEqual(
    table(catalog, "p11").foreignKeys.map(({ references }) => references.name),
    ["plain"],
  );
  assert.equal(table(catalog, "p11").indexes[0]?.native, "PRIMARY KEY (a)");
});

test("types come after those they are made of, and only those that are used", async () => {
  const catalog = await catalogOf(`
    create schema lower; create type lower.z as enum ('1'); create type unused as enum ('2');
    create type in_check as enum ('3'); create type in_index as enum ('4'); create type in_domain as enum ('x');
    create domain a_of_b as lower.z; create domain a as a_of_b[] check (value[1]::text <> 'x'::in_domain::text);
    create table t (a a[], b text check (b <> '3'::in_check::text), c text);
    create index on t ((array_position(array['4'::in_index], null)))`);
  const names = catalog.types.map(({ id }) => id.name);
  assert.deepEqual(names.toSorted(), ["a", "a_of_b", "in_check", "in_domain", "in_index", "z"]);
  assert.ok(names.indexOf("z") < names.indexOf("a_of_b"));
  assert.ok(names.indexOf("a_of_b") < names.indexOf("a"));
  assert.ok(names.indexOf("in_domain") < names.indexOf("a"));
  assert.deepEqual(
    catalog.schemas.map(({ name }) => name),
    ["lower", "public"],
  );
});

test("a sequence of a table outside counts as free, an identity's as its column's", async () => {
  const sql = `create table owner (id serial, i integer generated always as identity);
    create table user_of (a integer default nextval('owner_id_seq'), s smallserial)`;
  const some = await catalogOf(sql, ["user_of"]);
  assert.deepEqual(
    some.sequences.map(({ id, ownedBy, internal }) => [id.name, ownedBy?.column, internal]),
    [
      ["owner_id_seq", undefined, false],
      ["user_of_s_seq", "s", false],
    ],
  );
  assert.equal(
    some.sequences[1]?.native,
    "as smallint increment by 1 minvalue 1 maxvalue 32767 start with 1 cache 1 no cycle",
  );
  const all = await catalogOf(sql);
  assert.deepEqual(
    all.sequences.map(({ id, ownedBy, internal }) => [
      id.name,
      ownedBy?.table.name,
      ownedBy?.column,
      internal,
    ]),
    [
      ["owner_i_seq", "owner", "i", true],
      ["owner_id_seq", "owner", "id", false],
      ["user_of_s_seq", "user_of", "s", false],
    ],
  );
});

/** A string that nobody but itself can read in binary. */
const odd = `create type odd;
  create function odd_in(cstring) returns odd language internal immutable strict as 'textin';
  create function odd_out(odd) returns cstring language internal immutable strict as 'textout';
  create function odd_send(odd) returns bytea language internal immutable strict as 'byteasend';
  create type odd (input = odd_in, output = odd_out, send = odd_send, like = text, category = 'S')`;

const logicalTypes: readonly (readonly [string, LogicalType])[] = [
  ["boolean", { kind: "boolean" }],
  ["smallint", { kind: "int", bits: 16, unsigned: false }],
  ["bigint", { kind: "int", bits: 64, unsigned: false }],
  ["oid", { kind: "int", bits: 32, unsigned: true }],
  ["real", { kind: "float", bits: 32 }],
  ["double precision", { kind: "float", bits: 64 }],
  ["numeric", { kind: "decimal" }],
  ["numeric(1000, 0)", { kind: "decimal", precision: 1000, scale: 0 }],
  ["numeric(3, -2)", { kind: "decimal", precision: 3, scale: -2 }],
  ["numeric(2, 5)", { kind: "decimal", precision: 2, scale: 5 }],
  ["text", { kind: "string", fixed: false }],
  ["varchar", { kind: "string", fixed: false }],
  ["varchar(10485760)", { kind: "string", maxChars: 10_485_760, fixed: false }],
  ["char", { kind: "string", maxChars: 1, fixed: true }],
  ["bpchar", { kind: "string", fixed: false }],
  ["name", { kind: "string", maxChars: 63, fixed: false }],
  ["citext", { kind: "string", fixed: false }],
  ["odd", { kind: "opaque" }],
  ["bytea", { kind: "bytes", fixed: false }],
  ["date", { kind: "date" }],
  ["time", { kind: "time", precision: 6, zoned: false }],
  ["timetz(0)", { kind: "time", precision: 0, zoned: true }],
  ["timestamp(3)", { kind: "timestamp", precision: 3, zoned: false }],
  ["timestamptz", { kind: "timestamp", precision: 6, zoned: true }],
  ["interval", { kind: "interval" }],
  ["uuid", { kind: "uuid" }],
  ["json", { kind: "json" }],
  ["jsonb", { kind: "json" }],
  ["xml", { kind: "xml" }],
  ["bit", { kind: "bit", length: 1 }],
  ["bit(64)", { kind: "bit", length: 64 }],
  ["varchar(3)[]", { kind: "array", of: { kind: "string", maxChars: 3, fixed: false } }],
  ["int2vector", { kind: "opaque" }],
  ["point", { kind: "opaque" }],
  ["money", { kind: "opaque" }],
  ["hstore", { kind: "opaque" }],
  ["tstzmultirange", { kind: "opaque" }],
];

test("native types have the logical type that any engine understands", async () => {
  const columns = logicalTypes.map(([native], i) => `c${i} ${native}`);
  const catalog = await catalogOf(
    `create extension citext; create extension hstore; ${odd}; create table t (${columns.join(", ")})`,
  );
  const found = table(catalog, "t").columns.map(({ type }, i) => [logicalTypes[i]![0], type]);
  assert.deepEqual(found, logicalTypes);
});

test("names of the system's own catalogs do not confuse a description", async () => {
  const catalog = await catalogOf(`
    create table public.pg_class (id integer primary key, "text" text); create index pg_index on public.pg_class ("text");
    create type date as enum ('x'); create table t (d date, e public.date, f public.date[] default '{x}')`);
  assert.deepEqual(
    table(catalog, "pg_class").indexes.map(({ native }) => native),
    ["PRIMARY KEY (id)", "USING btree (text)"],
  );
  assert.deepEqual(
    table(catalog, "t").columns.map(({ type }) => type.kind),
    ["date", "enum", "array"],
  );
});
