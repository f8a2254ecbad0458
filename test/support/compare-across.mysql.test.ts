import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeComparison } from "./compare.ts";
import { compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";

let source: MysqlServer;
let target: PostgresServer;

before(async () => {
  [source, target] = await Promise.all([startMysql({ flavour: "mariadb" }), startPostgres()]);
});

after(async () => {
  await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
});

/** A column of each family: both types, a value as both write it, and another value for the target. */
const columns = [
  [
    "bigint unsigned",
    "numeric(20,0)",
    "18446744073709551615",
    "18446744073709551615",
    "18446744073709551614",
  ],
  ["tinyint(1)", "boolean", "1", "true", "false"],
  ["decimal(10,3)", "numeric", "1.500", "1.5", "1.501"],
  ["float", "real", "1.1", "1.1", "1.1000001"],
  ["double", "double precision", "1e20", "1e20", "1.0000000000000001e20"],
  ["bit(5)", "bit(5)", "b'00101'", "B'00101'", "B'00100'"],
  ["varchar(20)", "character varying(20)", "'it''s'", "'it''s'", "'It''s'"],
  ["char(5)", "character(5)", "'ab'", "'ab'", "'ac'"],
  [
    "json",
    "jsonb",
    `'{"b": 1.0, "a": 9223372036854775807}'`,
    `'{"a": 9223372036854775807, "b": 1}'`,
    `'{"a": 9223372036854775806, "b": 1}'`,
  ],
  ["varbinary(9)", "bytea", "x'00ff'", "'\\x00ff'", "'\\x00fe'"],
  [
    "point",
    "bytea",
    "st_geomfromtext('point(1 2)', 4326)",
    "'\\x0101000020e6100000000000000000f03f0000000000000040'",
    "'\\x0101000020e6110000000000000000f03f0000000000000040'",
  ],
  ["date", "date", "'2020-02-29'", "'2020-02-29'", "'2020-02-28'"],
  ["date", "date", "'2020-00-00'", "null", "'2020-01-01'"],
  [
    "datetime(6)",
    "timestamp(6)",
    "'2020-01-02 03:04:05.600'",
    "'2020-01-02 03:04:05.6'",
    "'2020-01-02 03:04:05.600001'",
  ],
  [
    "timestamp(3)",
    "timestamptz(3)",
    "'2020-01-02 00:00:00'",
    "'2020-01-02 01:00:00+01'",
    "'2020-01-02 00:00:00.001+00'",
  ],
  ["time(6)", "interval", "'-838:59:59'", "'-838:59:59'", "'838:59:59'"],
  [
    "uuid",
    "uuid",
    "'0123ABCD-0000-0000-0000-000000000001'",
    "'0123abcd-0000-0000-0000-000000000001'",
    "'0123abcd-0000-0000-0000-000000000002'",
  ],
  ["enum('a','b,c')", "text", "'b,c'", "'b,c'", "'b'"],
  ["int", "integer", "null", "null", "0"],
] as const;

test("equal rows are equal whatever the servers write, and each other value is found", async () => {
  const database = await target.createDatabase("across");
  await source.query(
    `set sql_mode = ''; set time_zone = '+00:00'; create database across;
     create table across.t (id int primary key, ${columns.map(([type], i) => `c${i} ${type} null`).join(", ")});
     insert into across.t values (1, ${columns.map(([, , value]) => value).join(", ")}), (2, ${columns.map(() => "null").join(", ")})`,
  );
  await target.query(
    `create schema across;
     create table across.t (id bigint primary key, ${columns.map(([, type], i) => `c${i} ${type}`).join(", ")});
     insert into across.t values (1, ${columns.map(([, , , value]) => value).join(", ")});
     insert into across.t values (2)`,
    database,
  );
  const sides = { source: mysqlSide(source, "across"), target: postgresSide(target, database) };
  const equal = await compareAcross(sides);
  assert.equal(describeComparison(equal), "1 tables with 2 rows are equal");
  for (const [i, [type, , , value, other]] of columns.entries()) {
    await target.query(`update across.t set c${i} = ${other} where id = 1`, database);
    const { differences } = await compareAcross(sides);
    assert.deepEqual(
      differences.map(({ different }) => different),
      [['["1"]']],
      type,
    );
    await target.query(`update across.t set c${i} = ${value} where id = 1`, database);
  }
});

test("rows that are missing, too many or repeated are found, and columns that differ", async () => {
  const database = await target.createDatabase("across");
  await source.query(
    `create database sets; create table sets.keyed (id int primary key); insert into sets.keyed values (1), (2);
     create table sets.bare (a int); insert into sets.bare values (1), (1), (2); create table sets.narrow (a int)`,
  );
  await target.query(
    `create schema sets; create table sets.keyed (id int primary key); insert into sets.keyed values (2), (3);
     create table sets.bare (a int); insert into sets.bare values (1), (2); create table sets.narrow (a int, b int)`,
    database,
  );
  const { differences } = await compareAcross({
    source: mysqlSide(source, "sets"),
    target: postgresSide(target, database),
  });
  const found = new Map(differences.map((one) => [one.table.name, one]));
  assert.deepEqual([found.get("keyed")!.missing, found.get("keyed")!.extra], [['["1"]'], ['["3"]']]);
  assert.equal(found.get("bare")!.repeated.length, 1);
  assert.match(found.get("narrow")!.problem!, /columns differ: a against a, b/);
});
