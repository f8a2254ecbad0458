import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableTotals } from "../../src/server/validate.ts";
import { type DatabaseKind, postgres } from "../contract/database-kind.ts";
import { mariadb, mysql57 } from "../contract/mysql-kinds.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { comparedSchemas, differenceLine, type Validated } from "../support/validation.ts";

/*
 * What tables come to on both sides, of types at their limits: exact, at the coarser precision, and the same where rows are.
 */

const running = new Map(
  await Promise.all(
    [postgres, mariadb, mysql57].map(async (kind) => [kind, await serverOfFile(kind.start())] as const),
  ),
);

type Side = readonly [DatabaseKind, string];

async function totals([from, made]: Side, [to, there]: Side, rules?: readonly object[]): Promise<Validated> {
  const source = await running.get(from)!.newSchema();
  const target = await running.get(to)!.newSchema();
  await source.run(made);
  await target.run(there);
  return await comparedSchemas(source, target, {
    withTotals: true,
    ...(rules === undefined ? {} : { tableMappings: JSON.stringify({ rules }) }),
  });
}

/** `n sum 3`, or of two that are not the same `n sum 3/4`. */
function lines({ rows, columns }: TableTotals): readonly string[] {
  const both = (source: unknown, target: unknown): string =>
    source === target ? `${source}` : `${source}/${target}`;
  return [
    `rows ${both(rows.source, rows.target)}`,
    ...columns.map(({ column, what, source, target }) => `${column} ${what} ${both(source, target)}`),
  ];
}

/** Of the one table. */
function only({ tables }: Validated): TableTotals {
  const [table] = [...tables.values()];
  assert.ok(table?.totals !== undefined, JSON.stringify(table));
  return table.totals;
}

const nines = (digits: number): string => "9".repeat(digits);

test("PostgreSQL's numbers and moments at their limits", async () => {
  const table = `
    create table t (id bigint primary key, n numeric, i numeric, f numeric(1000, 500), o oid, nothing numeric(10, 2),
      d date, z timestamptz, empty timestamp, x float8);
    insert into t values
      (9223372036854775807, 1e200 + 1e-300, 'NaN', 1e499 + 1e-500, 4294967295, null, '4713-01-01 BC', '-infinity', null, 0.1),
      (9223372036854775806, 1e200 - 3e-300, 1, -1e-500, 4294967295, null, '5874897-12-31', '2026-01-01 00:00+05:30', null, 0.2),
      (-5, 0.10, null, null, 1, null, '0001-01-01 BC', '1900-01-01 00:00:00.123456', null, 'NaN')`;
  const found = only(await totals([postgres, table], [postgres, table]));
  assert.deepEqual(lines(found), [
    "rows 3",
    "id sum 18446744073709551608",
    // 2e200 + 0.1 - 2e-300.
    `n sum 2${"0".repeat(200)}.0${nines(298)}8`,
    "i sum NaN",
    `f sum 1${"0".repeat(499)}.${"0".repeat(500)}`,
    "o sum 8589934591",
    "nothing sum null",
    "d first 4713-01-01 BC",
    "d last 5874897-12-31",
    "z first -infinity",
    "z last 2025-12-31 18:30:00",
    "empty first null",
    "empty last null",
  ]);
  assert.equal(found.isSame, true);
  assert.deepEqual(
    found.leftOut.map(({ column }) => column),
    ["x"],
  );
});

test("an empty table comes to nothing on both sides", async () => {
  const table = "create table t (id int primary key, n numeric(5, 2), at timestamp)";
  const found = only(await totals([postgres, table], [mariadb, table.replace("timestamp", "datetime(6)")]));
  assert.deepEqual(lines(found), ["rows 0", "id sum null", "n sum null", "at first null", "at last null"]);
});

test("MySQL's longest decimals, its largest numbers and dates that no calendar has", async () => {
  const table = (fraction: string): string => `set sql_mode = '';
    create table t (id bigint unsigned primary key, whole decimal(65, 0), fine decimal(65, 30), small decimal(5, 2), y year,
      d date, m datetime(${fraction}), z timestamp(6) null);
    insert into t values
      (18446744073709551615, ${nines(65)}, ${nines(35)}.${nines(30)}, -0.00, 1999, '0000-00-00', '2024-02-30 10:00:00', '1970-01-01 00:00:01'),
      (18446744073709551614, ${nines(65)}, ${nines(35)}.${nines(30)}, -0.00, 2026, '2024-02-29', '9999-12-31 23:59:59', '2038-01-19 03:14:07.999999'),
      (1, -${nines(65)}, ${nines(35)}.${nines(30)}, null, null, '2024-01-01', '2024-01-01 00:00:00.000123', null),
      (2, ${nines(65)}, null, null, null, null, null, null)`;
  const { tables, differences } = await totals([mariadb, table("6")], [mysql57, table("3")]);
  assert.deepEqual(differences, []);
  const found = tables.get("t")!.totals!;
  assert.deepEqual(lines(found), [
    "rows 4",
    "id sum 36893488147419103232",
    `whole sum 1${nines(64)}8`,
    `fine sum 2${nines(35)}.${nines(29)}7`,
    "small sum 0.00",
    "y sum 4025",
    "d first 0000-00-00",
    "d last 2024-02-29",
    "m first 0000-00-00 00:00:00",
    "m last 9999-12-31 23:59:59",
    "z first 1970-01-01 00:00:01",
    "z last 2038-01-19 03:14:07.999999",
  ]);
});

test("two kinds of database come to the same, at what both can hold, and in whatever zone they show it", async () => {
  const { differences, tables } = await totals(
    [
      mariadb,
      `create table t (id int primary key, n decimal(65, 30), c decimal(20, 4), z timestamp(6) null, m datetime(6), x float);
       insert into t values (1, ${nines(35)}.${nines(30)}, 1.2345, '2026-01-01 12:00:00.5', '2026-01-01 12:00:00.1235', 0.1),
         (2, -0.5, -1.2355, '2025-06-01 00:00:00', null, 0.2)`,
    ],
    [
      postgres,
      `set timezone = 'UTC';
       create table t (id bigint primary key, n numeric, c numeric(20, 3), z timestamptz, m timestamp(3), x real);
       insert into t values (1, ${nines(35)}.${nines(30)}, 1.2345, '2026-01-01 12:00:00.5', '2026-01-01 12:00:00.1235', 0.1),
         (2, -0.5, -1.2355, '2025-06-01 00:00:00', null, 0.2);
       do $$ begin execute format('alter database %I set timezone to ''Asia/Kolkata''', current_database()); end $$`,
    ],
  );
  assert.deepEqual(differences, []);
  const found = tables.get("t")!.totals!;
  assert.deepEqual(lines(found), [
    "rows 2",
    "id sum 3",
    `n sum ${nines(34)}9.4${nines(29)}`,
    "c sum -0.001",
    "z first 2025-06-01 00:00:00",
    "z last 2026-01-01 12:00:00.5",
    "m first 2026-01-01 12:00:00.124",
    "m last 2026-01-01 12:00:00.124",
  ]);
});

test("rows that rules leave out are not added up, and values that they make are told as left out", async () => {
  const { rule, selection } = new RuleNumbers("%");
  const made = `create table t (id int primary key, age int, pin int);
    insert into t select i, i % 40, i from generate_series(1, 100) i`;
  const adults = {
    ...{ "filter-type": "source", "column-name": "age" },
    "filter-conditions": [{ "filter-operator": "gte", value: "18" }],
  };
  const masked = rule({ "table-name": "t", "column-name": "pin" }, "data-masking-digits-mask", {
    value: "9",
  });
  const found = await totals(
    [postgres, made],
    [
      postgres,
      `${made}; delete from t where age < 18; alter table t alter pin type text using repeat('9', length(pin::text)); update t set id = 0 where id = 18`,
    ],
    [selection("t", [adults]), masked],
  );
  const { isSame, leftOut, ...rest } = only(found);
  assert.equal(isSame, false);
  assert.deepEqual(lines({ isSame, leftOut, ...rest }), ["rows 47", "id sum 2431/2413", "age sum 1311"]);
  assert.deepEqual(found.differences.map(differenceLine).sort(), ["t extra 0", "t missing 18"]);
});
