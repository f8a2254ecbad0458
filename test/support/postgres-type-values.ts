import type { MysqlFlavour } from "./mysql-server.ts";

/** A type of PostgreSQL with values that a migration to MySQL or MariaDB is most likely to get wrong. */
export interface PostgresTypeSample {
  /** As DDL writes it, in a schema of the types below. */
  readonly type: string;
  /** As docs/engines/mysql.md calls it, where that is not the type itself. */
  readonly called?: string;
  /** What the column becomes, without lengths and labels. */
  readonly becomes: string;
  /** Where that is something else on MariaDB. */
  readonly onMariadb?: string;
  /** SQL expressions without the cast to the type, NULL left out. */
  readonly values: readonly string[];
  /** Values that the target has not, and refuses; for one server alone where that is named. */
  readonly refused?: readonly (readonly [value: string, only?: MysqlFlavour])[];
}

const nines = (count: number): string => "9".repeat(count);
const DATES = ["'infinity'", "'-infinity'", "'10000-01-01'", "'0001-12-31 BC'"].map((one) => [one] as const);
const awkward = String.raw`E'tab\tnew\nline\\back\bfeed\fup\vquote''"\r end'`;

/** A range and its kind with several of them. */
const ranges = (name: string, values: readonly string[]): PostgresTypeSample => ({
  ...{ type: name, called: "ranges", becomes: "varchar" },
  values: ["'empty'", "'(,)'", ...values],
});
const address = (type: string, values: readonly string[]): PostgresTypeSample => ({
  ...{ type, called: "addresses", becomes: "varchar", values },
});
const shape = (type: string, values: readonly string[], becomes = "longtext"): PostgresTypeSample => ({
  ...{ type, called: "geometric types", becomes, values },
});
const other = (type: string, values: readonly string[]): PostgresTypeSample => ({
  ...{ type, called: "all others", becomes: "longtext", values },
});

export const postgresTypeSamples: readonly PostgresTypeSample[] = [
  { type: "boolean", becomes: "tinyint", values: ["true", "false"] },
  { type: "smallint", becomes: "smallint", values: ["-32768", "0", "32767"] },
  { type: "integer", becomes: "int", values: ["-2147483648", "0", "2147483647"] },
  { type: "bigint", becomes: "bigint", values: ["-9223372036854775808", "9223372036854775807"] },
  { type: "oid", becomes: "int unsigned", values: ["0", "4294967295"] },
  {
    type: "numeric(20,5)",
    ...{ called: "numeric(p,s)", becomes: "decimal" },
    values: ["-123456789012345.12345", "0", "0.00001"],
  },
  {
    type: "numeric(65,30)",
    ...{ called: "numeric(p,s)", becomes: "decimal" },
    values: [`${nines(35)}.${nines(30)}`, `-0.${"0".repeat(29)}1`],
    refused: [["'NaN'"]],
  },
  {
    type: "numeric(100,50)",
    ...{ called: "numeric of more digits", becomes: "varchar" },
    values: [`${nines(50)}.${nines(50)}`, `-0.${"0".repeat(49)}1`, "'NaN'"],
  },
  {
    type: "numeric",
    becomes: "decimal",
    values: ["1.5", "-12345678901234567890123456789012345.123456789012345678901234567891"],
    refused: [["'1e35'"], ["'1e-31'"], ["'NaN'"], ["'Infinity'"]],
  },
  {
    type: "real",
    becomes: "float",
    values: ["1.1", "'3.4028235e38'", "'-1e-37'", "0"],
    refused: [["'NaN'"], ["'-Infinity'"]],
  },
  {
    type: "double precision",
    becomes: "double",
    values: ["1.1", "0.1", "'1.7976931348623157e308'", "'5e-324'", "1e15", "-0.0"],
    refused: [["'NaN'"], ["'Infinity'"]],
  },
  {
    type: "text",
    becomes: "longtext",
    values: [awkward, "''", "'ünïcödé 😀'", "'\\N'", "repeat('x\\y', 100000)", "'ends in spaces  '"],
  },
  {
    type: "character varying(20)",
    ...{ called: "character varying(n)", becomes: "varchar" },
    values: ["'a'", "'ends in spaces  '", "repeat('😀', 20)"],
  },
  {
    type: "character varying(20000)",
    ...{ called: "character varying of more characters", becomes: "longtext" },
    values: ["repeat('é', 20000)", "''"],
  },
  {
    type: "character(5)",
    ...{ called: "character(n)", becomes: "char" },
    values: ["'ab'", "'abcde'", "''"],
  },
  {
    type: "character(300)",
    ...{ called: "character of more characters", becomes: "varchar" },
    values: [String.raw`E' a\\b\t'`, "repeat('ü', 300)", "''"],
  },
  {
    type: "bytea",
    becomes: "longblob",
    values: [String.raw`'\x'`, String.raw`'\x00095c0a0dff27e2'`, "decode(repeat('5c0a', 50000), 'hex')"],
  },
  { type: "date", becomes: "date", values: ["'0001-01-01'", "'2026-02-28'", "'9999-12-31'"], refused: DATES },
  { type: "time", becomes: "time", values: ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'"] },
  { type: "time(0)", called: "time", becomes: "time", values: ["'12:34:56'"] },
  {
    type: "timestamp",
    becomes: "datetime",
    values: ["'0001-01-01 00:00:00'", "'2026-02-28 23:59:59.123456'", "'9999-12-31 23:59:59.999999'"],
    refused: DATES,
  },
  { type: "timestamp(0)", called: "timestamp", becomes: "datetime", values: ["'2026-02-28 23:59:59'"] },
  {
    type: "timestamp with time zone",
    becomes: "datetime",
    values: ["'2026-02-28 23:59:59.5+05:30'", "'1900-01-01 00:00:00+00'", "'2026-07-01 12:00:00-09'"],
    refused: [["'infinity'"], ["'9999-12-31 23:59:59-01'"]],
  },
  {
    type: "time with time zone",
    becomes: "varchar",
    values: ["'24:00+00'", "'12:00-15:59:59'", "'01:02:03.5+01'"],
  },
  {
    type: "interval",
    becomes: "varchar",
    values: [
      "'1 year 2 days 03:04:05.5'",
      "'-178000000 years'",
      "'1 mon -1 day 00:00:00.000001'",
      "'-2147483648 days -2562047788:00:54.775807'",
      "'infinity'",
    ],
  },
  {
    type: "uuid",
    becomes: "char",
    values: ["'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  },
  {
    type: "json",
    ...{ becomes: "json", onMariadb: "longtext" },
    values: [`'{"a": [1, null, "x\\ny"], "b": {}}'`, "'null'", "'18446744073709551615'", `'"é😀"'`],
    refused: [["'1e400'", "mysql"]],
  },
  {
    type: "jsonb",
    ...{ becomes: "json", onMariadb: "longtext" },
    values: [`'{"a": [1, null, "x\\ny"], "": []}'`, "'-9223372036854775808'", "'1.5'"],
    refused: [["'1e400'", "mysql"]],
  },
  {
    type: "bit(12)",
    ...{ called: "bit(n)", becomes: "bit" },
    values: ["B'000011110000'", "B'111111111111'", "B'010111001010'"],
  },
  {
    type: "bit(64)",
    ...{ called: "bit(n)", becomes: "bit" },
    values: ["B'0000100101011100000010101111111100000000001001111110001000001010'"],
  },
  { type: "bit(70)", called: "bit of more bits", becomes: "varchar", values: ["repeat('10', 35)::bit(70)"] },
  { type: "mood", called: "an enum", becomes: "enum", values: ["'sad'", "'it''s ok'", "'ünïcödé 😀'", "''"] },
  {
    type: "padded_mood",
    ...{ called: "an enum with spaces at the end of labels", becomes: "varchar" },
    values: ["'sad '", "'sad'"],
  },
  { type: "positive", called: "a domain", becomes: "int", values: ["1", "2147483647"] },
  ranges("int4range", ["'[1,5)'", "'[-2147483648,2147483647)'"]),
  ranges("numrange", ["'[0.10,0.1000]'", "'[NaN,NaN]'"]),
  ranges("daterange", ["'[2024-01-01,infinity]'"]),
  ranges("tsrange", ["'[-infinity,infinity]'", "'(,2024-01-01 00:00:00.000001]'"]),
  ranges("tstzrange", ["'[2024-01-01 00:00+05,)'"]),
  address("inet", ["'2001:db8:0:1::12'", "'10.0.0.1/8'", "'0.0.0.0/0'"]),
  address("cidr", ["'::/0'", "'255.255.255.255/32'"]),
  address("macaddr", ["'ff:ff:ff:ff:ff:ff'"]),
  address("macaddr8", ["'00:00:00:00:00:00:00:01'"]),
  {
    type: "money",
    becomes: "varchar",
    values: ["12.5", "'-92233720368547758.08'::money", "'92233720368547758.07'::money"],
  },
  { type: "pg_lsn", becomes: "varchar", values: ["'FFFFFFFF/FFFFFFFF'"] },
  shape("point", ["'(NaN,Infinity)'", "'(-0,1e-320)'", "'(1.5,2)'"], "varchar"),
  shape("line", ["'{1,0,0}'"]),
  shape("lseg", ["'[(0,0),(0,1)]'"]),
  shape("box", ["'(1,1),(0,0)'"]),
  shape("path", ["'((0,0),(1,1),(2,0))'", "'[(0,0)]'"]),
  shape("polygon", ["'((0,0),(1,0),(1,1))'"]),
  shape("circle", ["'<(0,0),0.1>'"]),
  other("integer[]", ["'{1,NULL,3}'", "'{}'", "'{{1,2},{3,NULL}}'", "'[0:1]={1,2}'"]),
  other("text[]", [String.raw`array['a,b', 'x"y\z', '', null, E'new\nline', 'NULL']`]),
  other("int4multirange", ["'{}'", "'{[1,2),[5,)}'"]),
  other("xml", ["'<a n=\"1\">&lt;é</a>'", "xml 'text <b/> and more'"]),
  other("bit varying", ["B'101'", "B''", "repeat('10', 50)::varbit"]),
  other("tsvector", ["'''it''''s'':1A,2B a:16383'"]),
  other("tsquery", ["'''x y'' <-> z:AB'"]),
  other("pair", [String.raw`row(1, E'a,"b\\')`, "row(0, '')"]),
  other("hstore", ['\'a=>NULL,"b \\""=>"=>"\'', "''"]),
  // Its texts are equal whatever their case there, and are not here.
  { type: "citext", called: "citext", becomes: "longtext", values: ["'MiXed'", "''"] },
];

/** The schema with a table t0, t1 ... for each of them: id, c, last. */
export function postgresTypeTables(schema: string): string {
  const tables = postgresTypeSamples.map(({ type, values }, i) => {
    const rows = [...values, "null"].map((value, n) => `(${n}, (${value})::${type})`);
    return `create table t${i} (id int primary key, c ${type}, last text);
      insert into t${i} select v.id, v.c, 'end' from (values ${rows.join(", ")}) as v (id, c);`;
  });
  return `create schema ${schema}; set search_path = ${schema};
    create extension hstore; create extension citext;
    create type mood as enum ('sad', 'it''s ok', 'ünïcödé 😀', ''); create type padded_mood as enum ('sad', 'sad ');
    create type pair as (a int, b text); create domain positive as int check (value > 0);
    ${tables.join("\n")} reset search_path;`;
}

/** New rows of all values, updates of each value to the next, a row that goes. */
export function postgresTypeChanges(schema: string): string {
  const changes = postgresTypeSamples.map(({ values }, i) => {
    const count = values.length + 1;
    return `insert into t${i} select id + 100, c, 'new' from t${i};
      update t${i} as t set c = s.c, last = 'set' from t${i} as s where t.id < 100 and s.id = (t.id + 1) % ${count};
      delete from t${i} where id = 100;`;
  });
  return `set search_path = ${schema}; ${changes.join("\n")} reset search_path;`;
}
