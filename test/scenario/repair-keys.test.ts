import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { TaskProgress } from "../../src/task/task.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { compareAnew, repaired, repairSettings, tallies } from "../support/repair-pair.ts";
import { type RetryPair, retryKinds } from "../support/retry-pair.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { areCompared } from "../support/task-validation.ts";

/* A row of the target is found by the key that is recorded of it, whatever its type, and no other row is lost for it. */

const [postgres, otherPostgres, mysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const servers = { postgres, otherPostgres, mysql };

const pairs: RetryPair[] = [];
after(() => Promise.all(pairs.map(({ runs }) => runs.end())));

type KeyType = readonly [type: string, values: readonly string[]];

/** A type of keys, and four of its values. */
const KEYS: readonly KeyType[] = [
  ["int", ["7", "-8", "9", "10"]],
  ["bigint", ["9007199254740993", "9007199254740995", "-9007199254740997", "0"]],
  ["decimal(30, 10)", ["12345678901234567890.0000000001", "-0.5", "1000", "2.0000000002"]],
  ["varchar(20)", [`'k''"ü{} '`, "'k'", "'K'", "''"]],
  ["char(6)", ["'ab'", "'a'", "'b'", "'abcdef'"]],
  ["date", ["'2024-02-29'", "'1999-12-31'", "'2026-01-01'", "'2026-01-02'"]],
];
/** To the two kinds of servers times are not the same: such rows are not told by their keys. */
const TIMES: KeyType = ["time(3)", ["'23:59:59.125'", "'00:00:00'", "'01:02:03.5'", "'10:00:00'"]];

/** Keys whose types have other names on the two kinds of servers, with four values. */
const NAMED_KEYS: readonly {
  readonly postgres: string;
  readonly mysql: string;
  readonly values: readonly string[];
}[] = [
  {
    ...{ postgres: "uuid", mysql: "char(36)" },
    values: [1, 2, 3, 4].map((i) => `'0f8fad5b-d9cb-469f-a165-70867728950${i}'`),
  },
  { postgres: "bytea", mysql: "varbinary(20)", values: ["''", "'a'", "'A'", "'a '"] },
  {
    ...{ postgres: "numeric(20, 0)", mysql: "bigint unsigned" },
    values: ["18446744073709551615", "18446744073709551614", "0", "9"],
  },
  {
    ...{
      postgres: "varchar(9)",
      mysql: "enum('a', 'A', '', 'a''b') character set utf8mb4 collate utf8mb4_bin",
    },
    values: ["'a'", "'A'", "''", "'a''b'"],
  },
];
/** A moment, which one side may have without its zone. */
const MOMENTS = [6, 7, 8, 9].map((i) => `'2026-03-29 01:30:00.00000${i}'`);

const UTC = { postgres: "set time zone 'UTC'", mysql: "set time_zone = '+00:00'" };

/** All tables have been compared whole, and found to differ. */
function isFound({ tables }: TaskProgress): boolean {
  return tables.every(
    ({ validation }) =>
      validation?.state === "Mismatched records" &&
      validation.pending === 0 &&
      validation.rowsCompared === undefined,
  );
}

for (const { name, make } of retryKinds) {
  test(`${name}: rows are repaired by keys of each type`, async () => {
    const [from, to] = name
      .split(" to ")
      .map((kind) => (kind === "MariaDB" ? ("mysql" as const) : ("postgres" as const)));
    const moment = { postgres: "timestamptz", mysql: from === "mysql" ? "timestamp(6)" : "datetime(6)" };
    const named = [...NAMED_KEYS, { ...moment, values: MOMENTS }];
    const own = name === "PostgreSQL to PostgreSQL" ? [...KEYS, TIMES] : KEYS;
    const keys = [...own, ...named.map((one): KeyType => [one[from!], one.values])];
    const each = (sql: (i: number, type: string, values: readonly string[]) => string): string =>
      keys.map(([type, values], i) => sql(i, type, values)).join("; ");
    const table = (i: number, type: string): string =>
      `create table k${i} (k ${type} primary key, v varchar(40))`;
    const renewed = (side: "postgres" | "mysql"): string =>
      named.map((one, i) => `drop table k${own.length + i}; ${table(own.length + i, one[side])}`).join("; ");
    const pair = await make(servers, {
      tables: keys.map(([type], i) => table(i, i < own.length ? type : "int")).join("; "),
      ...{ narrow: renewed(to!), settings: repairSettings() },
      names: keys.map((_, i) => `k${i}`),
    });
    pairs.push(pair);
    await pair.write(renewed(from!));
    // Its databases take 'k' and 'K' for the same, unless they are told not to.
    if (from === "mysql")
      await pair.write(each((i) => `alter table k${i} convert to character set utf8mb4 collate utf8mb4_bin`));
    const rows = each((i, _, [a, b, c]) => `insert into k${i} values (${a}, 'a'), (${b}, 'b'), (${c}, 'c')`);
    await pair.write(`${UTC[from!]}; ${rows}`);
    const task = await pair.runs.replicate();
    // One goes, one comes, one becomes another, and one is as it was.
    const damage = each(
      (i, _, [a, b, , d]) => `delete from k${i} where k = ${a}; update k${i} set v = 'other' where k = ${b};
          insert into k${i} values (${d}, 'stray')`,
    );
    await pair.target(`${UTC[to!]}; ${damage}`);
    compareAnew(task, 1);
    const differing = Object.fromEntries(keys.map((_, i) => [`k${i}`, 3]));
    await task.until(isFound);
    assert.ok(areCompared(task.last!, differing), JSON.stringify(task.last!.tables));
    const done = tallies(await repaired(task, 1));
    assert.deepEqual(done, Object.fromEntries(keys.map((_, i) => [`k${i}`, [3, 3, 0]])));
    const { progress } = await pair.runs.drain(task);
    assert.ok(areCompared(progress));
    assert.equal(await pair.recorded(), 0);
    await pair.assertEqual();
  });
}

test("a row that the target takes for the same as another one is left, and the other stays", async () => {
  const collation =
    "create collation folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
  const kind = retryKinds.find((one) => one.name === "PostgreSQL to PostgreSQL")!;
  const pair = await kind.make(servers, {
    tables: "create table k (id varchar(20) primary key, v varchar(40))",
    narrow: `${collation}; alter table k alter column id type varchar(20) collate folding`,
    ...{ names: ["k"], settings: repairSettings() },
  });
  pairs.push(pair);
  await pair.write("insert into k values ('a', 'one'), ('same', 'three')");
  const task = await pair.runs.replicate();
  await pair.target("update k set id = 'SAME' where id = 'same'");
  await pair.write("insert into k values ('A', 'two')");
  await task.until(({ tables }) => tables.every(({ refused, conflicts }) => refused + conflicts === 1));
  compareAnew(task, 1);
  const [told] = (await repaired(task, 1)).tables;
  // 'SAME' goes and 'same' comes; 'A' finds 'a' in its way.
  assert.deepEqual([told!.recorded, told!.settled, told!.left], [3, 2, 1]);
  assert.deepEqual((await pair.target("select id, v from k")).map(({ id, v }) => `${id}: ${v}`).sort(), [
    "a: one",
    "same: three",
  ]);
  await pair.runs.drain(task);
});
