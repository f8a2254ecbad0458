import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { moveTables } from "../../../../test/support/mysql-load.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";

const source = await serverOfFile(startPostgres());

/** Columns with their types, SQL for values, and what shows a value as the same text on both sides. */
interface Sample {
  readonly type: string;
  readonly values: readonly string[];
  /** `c` is the column. */
  readonly postgres?: string;
  readonly mysql?: string;
  /** The servers print the same numbers otherwise: they are compared as numbers, on the target. */
  readonly isFloat?: true;
}

const awkward = String.raw`E'tab\tnew\nline\\back\bfeed\fup\vquote''"\r end'`;

const samples: readonly Sample[] = [
  { type: "boolean", values: ["true", "false"], postgres: "c::int" },
  { type: "smallint", values: ["-32768", "0", "32767"] },
  { type: "integer", values: ["-2147483648", "0", "2147483647"] },
  { type: "bigint", values: ["-9223372036854775808", "9223372036854775807"] },
  { type: "numeric(20,5)", values: ["-123456789012345.12345", "0", "0.00001"] },
  {
    type: "numeric",
    values: ["1.5", "-12345678901234567890123456789012345.123456789012345678901234567891"],
    postgres: "round(c, 30)",
  },
  { type: "real", values: ["1.1", "-3.4e38", "1e-37", "0"], postgres: "c::float8", isFloat: true },
  {
    type: "double precision",
    values: ["1.1", "0.1", "1.7976931348623157e308", "5e-324", "1e15"],
    isFloat: true,
  },
  {
    type: "text",
    values: [awkward, "''", "'ünïcödé 😀'", "'\\N'", "repeat('x\\y', 100000)"],
    postgres: "encode(convert_to(c, 'UTF8'), 'hex')",
    mysql: "lower(hex(c))",
  },
  { type: "varchar(20)", values: ["'a'", "'ends in spaces  '", "'😀😀'"] },
  { type: "char(5)", values: ["'ab'", "'abcde'"], postgres: "rtrim(c)" },
  {
    type: "bytea",
    values: [String.raw`'\x'`, String.raw`'\x00095c0a0dff27e2'`, "decode(repeat('5c0a', 50000), 'hex')"],
    postgres: "encode(c, 'hex')",
    mysql: "lower(hex(c))",
  },
  { type: "date", values: ["'0001-01-01'", "'2026-02-28'", "'9999-12-31'"] },
  {
    type: "time",
    values: ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'"],
    postgres: "case when c = '24:00:00' then '24:00:00.000000' else to_char(c, 'HH24:MI:SS.US') end",
  },
  { type: "time(0)", values: ["'12:34:56'"] },
  {
    type: "timestamp",
    values: ["'0001-01-01 00:00:00'", "'2026-02-28 23:59:59.123456'", "'9999-12-31 23:59:59.999999'"],
    postgres: "to_char(c, 'YYYY-MM-DD HH24:MI:SS.US')",
  },
  { type: "timestamp(0)", values: ["'2026-02-28 23:59:59'"] },
  {
    type: "timestamptz",
    values: ["'2026-02-28 23:59:59.5+05:30'", "'1900-01-01 00:00:00+00'", "'2026-07-01 12:00:00-09'"],
    postgres: "to_char(c at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
  },
  { type: "uuid", values: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"] },
  {
    type: "bit(12)",
    values: ["B'000011110000'", "B'111111111111'", "B'010111001010'"],
    postgres: "c::int",
    mysql: "c + 0",
  },
  {
    type: "bit(64)",
    values: ["B'0000100101011100000010101111111100000000001001111110001000001010'"],
    postgres: "c::text",
    mysql: "lpad(bin(c), 64, '0')",
  },
  { type: "bit(70)", values: ["repeat('10', 35)::bit(70)"] },
  { type: "varbit", values: ["B'101'"] },
  {
    type: "jsonb",
    values: [`'{"a": [1, null, "x\\ny"]}'`],
    postgres: "c ->> 'a'",
    mysql: "json_unquote(json_extract(c, '$.a'))",
  },
  { type: "xml", values: ["'<a>b</a>'"] },
  { type: "interval", values: ["'1 year 2 days 03:04:05.5'"] },
  { type: "integer[]", values: ["'{1,NULL,3}'"] },
  {
    type: "inet",
    values: ["'2001:db8:0:1::12'", "'10.0.0.1/8'"],
    postgres: "case when c is not null then format('%s', c) end",
  },
  { type: "int4range", values: ["'[1,5)'"] },
  { type: "money", values: ["12.5"] },
];

const schemaSql = (schema: string): string => `
create schema ${schema};
${samples
  .map(({ type, values }, i) => {
    const rows = [...values, "null"].map(
      (value, n) => `(${n}, ${value === "null" ? value : `(${value})::${type}`})`,
    );
    return `create table ${schema}.t${i} (id int primary key, c ${type}, last text);
      insert into ${schema}.t${i} select v.id, v.c, 'end' from (values ${rows.join(", ")}) as v (id, c);`;
  })
  .join("\n")}`;

for (const flavour of ["mariadb", "mysql"] as const satisfies MysqlFlavour[]) {
  for (const localInfile of [1, 0]) {
    describe(`${flavour}, ${localInfile === 1 ? "LOAD DATA" : "INSERT"}`, () => {
      let target: MysqlServer;
      before(async () => {
        target = await startMysql({ flavour, settings: { local_infile: localInfile } });
      });
      after(() => target?.[Symbol.asyncDispose]());

      test("values of all types come as they were", async () => {
        const schema = "types";
        const moved = await moveTables({ source, target, schema, sql: schemaSql(schema) });
        for (const [i, sample] of samples.entries()) {
          const { type, values, postgres = "c::text", mysql = "c", isFloat } = sample;
          assert.equal(moved.failures.get(`t${i}`), undefined, type);
          const there = await source.query(
            `select id::text, (${postgres})::text as c, last from ${schema}.t${i} order by id`,
            moved.database,
          );
          const numbers = there.map(({ id, c }) => `when ${id} then ${c ?? "null"}`).join(" ");
          const shown = isFloat ? `if(c = case id ${numbers} end, 'same', c)` : mysql;
          const here = await target.query(`select id, ${shown} as c, last from t${i} order by id`, schema);
          const expected = isFloat
            ? there.map((row) => ({ ...row, c: row.c === null ? null : "same" }))
            : there;
          assert.equal(here.length, values.length + 1, type);
          assert.deepEqual(here, expected, type);
        }
      });
    });
  }
}
