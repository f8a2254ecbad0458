import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { describeComparison } from "../../../../test/support/compare.ts";
import { compareAcross } from "../../../../test/support/compare-across.ts";
import { mysqlSide, postgresSide } from "../../../../test/support/compare-side.ts";
import { moveTables } from "../../../../test/support/mysql-load.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { postgresTypeSamples, postgresTypeTables } from "../../../../test/support/postgres-type-values.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";

const source = await serverOfFile(startPostgres());

/**
 * Generated columns, of which each is computed by both servers, but where one is named: MariaDB computes none of padded
 * characters, and on this MySQL spaces at the end of texts do not count.
 */
const computed: readonly (readonly [type: string, expression: string, only?: MysqlFlavour])[] = [
  ["bigint", "i + 1 - 2 * abs(i)"],
  ["bigint", "j / 7"],
  ["bigint", "j % 7 + mod(i, 5)"],
  ["numeric", "n * 2.25 - n"],
  ["boolean", "n > 0.5 and i < j"],
  ["boolean", "n = i or n::numeric <> 1.50"],
  ["boolean", "f > 0.1 and r <= 1.5"],
  ["boolean", "not (i > 3) or t is null"],
  ["boolean", "i in (1, -7, 300)"],
  ["boolean", "i not between -5 and 5"],
  ["boolean", "t = 'a' or v = 'b'", "mariadb"],
  ["boolean", "t in ('a', 'a ', 'It''s', '\\')", "mariadb"],
  ["boolean", "v not in ('a', 'b')", "mariadb"],
  ["boolean", "t like 'a%' or v not like '_b%'"],
  ["boolean", "t is distinct from v", "mariadb"],
  ["boolean", "(t is null) = (v is null)"],
  ["integer", "length(t) + char_length(v)"],
  ["integer", "length(c)", "mysql"],
  ["text", "btrim(t) || ltrim(v) || rtrim(t)"],
  ["text", "coalesce(nullif(t, 'a'), v, '?')", "mariadb"],
  ["boolean", "b is not true and not coalesce(b, false)"],
  ["boolean", "d >= '2000-02-29' and d <> '2024-01-01'"],
  ["boolean", "coalesce(m, '2000-01-01 00:00:00') < '2024-01-01 12:00:00.5'"],
  ["boolean", "z > '2024-01-01 12:00:00+00'"],
  ["boolean", "k between '08:00:00' and '17:30:00.25'"],
  ["boolean", "u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "mysql"],
  ["boolean", "l = 'sad' or l in ('so so', 'ok')"],
  ["integer", "num_nulls(t, v, l) + num_nonnulls(i, n)"],
  ["bigint", "case when i > 0 then i when b then -i else 0 end"],
];

const computedSql = (schema: string): string => `
create schema ${schema};
create type ${schema}.mood as enum ('sad', 'ok', 'so so');
create table ${schema}.e (id int primary key, i int, j bigint, n numeric(10,2), f double precision, r real, t text,
  v varchar(20), c char(5), b boolean, d date, m timestamp(3), z timestamptz, k time, u uuid, l ${schema}.mood,
  ${computed.map(([type, text], n) => `g${n} ${type} generated always as (${text}) stored`).join(",\n  ")});
insert into ${schema}.e
  select row_number() over (), i, j, n, i * 0.1, i * 0.5, t, case when i % 2 = 0 then t else v end, v, i > 0, d,
    d + interval '12 hours 0.5 seconds', (d + interval '12 hours 0.5 seconds') at time zone 'UTC', k,
    case when i > 0 then 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid end,
    (array['sad', 'ok', 'so so', null])[1 + abs(i) % 4]::${schema}.mood
  from (values (1, 14::bigint, 1.50), (-7, -15, -0.01), (300, 1000000000000000, 0.5), (0, 0, 0), (3, 3, 3), (null, null, null))
      as numbers (i, j, n),
    (values ('a', 'b'), ('a ', 'ab'), (' aé😀', 'b '), ('It''s', 'It''s'), (E'\\\\', ''), ('A', 'B'), (null, null)) as texts (t, v),
    (values (date '2000-02-29', time '08:00'), ('2024-01-01', '17:30:00.25'), ('1999-12-31', '17:30:00.250001'), (null, null))
      as times (d, k);`;

for (const flavour of ["mariadb", "mysql"] as const satisfies MysqlFlavour[]) {
  for (const localInfile of [1, 0]) {
    describe(`${flavour}, ${localInfile === 1 ? "LOAD DATA" : "INSERT"}`, () => {
      let target: MysqlServer;
      before(async () => {
        target = await startMysql({ flavour, settings: { local_infile: localInfile } });
      });
      after(() => target?.[Symbol.asyncDispose]());

      test("expressions that are converted give the same on both sides, whatever they are about", async () => {
        const schema = "computed";
        const moved = await moveTables({ source, target, schema, sql: computedSql(schema) });
        assert.equal(moved.failures.get("e"), undefined);
        const { columns } = moved.plan.tables[0]!.target;
        const missing = computed.filter(
          (_, n) => columns.find(({ name }) => name === `g${n}`)!.generated === undefined,
        );
        assert.deepEqual(
          missing,
          computed.filter(([, , only]) => only !== undefined && only !== flavour),
        );
        const comparison = await compareAcross({
          source: postgresSide(source, moved.database),
          target: mysqlSide(target, schema),
          tables: [{ schema, name: "e" }],
        });
        assert.ok(comparison.equal && comparison.rows === 168, describeComparison(comparison));
      });

      test("values of all types come as they were", async () => {
        const schema = "types";
        const moved = await moveTables({ source, target, schema, sql: postgresTypeTables(schema) });
        const failed = [...moved.failures].map(([name, error]) => `${name}: ${error.message}`);
        assert.deepEqual(failed, []);
        const comparison = await compareAcross({
          source: postgresSide(source, moved.database),
          target: mysqlSide(target, schema),
          tables: postgresTypeSamples.map((_, i) => ({ schema, name: `t${i}` })),
        });
        assert.ok(comparison.equal, describeComparison(comparison));
        assert.equal(comparison.tables, postgresTypeSamples.length);
      });
    });
  }
}
