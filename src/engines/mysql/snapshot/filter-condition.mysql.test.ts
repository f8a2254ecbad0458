import assert from "node:assert/strict";
import { test } from "node:test";
import { startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables, whole } from "../../../../test/support/mysql-snapshot.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { FilterCondition } from "../../../core/plan.ts";
import { filterCondition } from "./filter-condition.ts";
import { openSnapshot } from "./snapshot.ts";

const server = await serverOfFile(startMysql({ flavour: "mariadb" }));
const unaborted = new AbortController().signal;

test("a filter on numbers, times or by equal texts is looked up in an index", async () => {
  const database = await server.createDatabase("filters");
  await server.query(
    `create table t (id int primary key, i int, n decimal(12, 2), d date, z timestamp(6) null, v varchar(40) character set latin1,
       c char(8), key i (i), key n (n), key d (d), key z (z), key v (v), key c (c));
     insert into t select seq, seq, seq, date '2000-01-01' + interval seq day, timestamp '2000-01-01 00:00:00' + interval seq hour,
       concat('v', seq), concat('c', seq) from seq_1_to_20000;
     analyze table t`,
    database,
  );
  const [table] = await describeTables(server, database, ["t"]);
  const values: readonly (readonly [string, string, string])[] = [
    ["i", "17", "18"],
    ["n", "17.5", "18"],
    ["d", "2000-02-01", "2000-02-02"],
    ["z", "2000-02-01 00:00:00+00", "2000-02-01 05:00:00+00"],
    ["v", "v17", ""],
    ["c", "c17", ""],
  ];
  for (const [name, from, to] of values) {
    const column = table!.columns.findIndex((one) => one.name === name);
    const conditions: FilterCondition[] = [{ operator: "eq", value: from }];
    if (to !== "") conditions.push({ operator: "between", from, to });
    for (const condition of conditions) {
      const sql = filterCondition([[{ column, conditions: [condition] }]], table!, "null");
      const plan = await server.query(`explain select * from t where ${sql}`, database);
      assert.match(JSON.stringify(plan), new RegExp(`"key":"${name}"`), sql);
    }
  }
});

test("a date that no calendar has is an error whatever the filter says of it, where dates may not come as others", async () => {
  const database = await server.createDatabase("zero");
  await server.query(
    `set sql_mode = ''; create table t (id int primary key, d date, n date not null);
     insert into t values (1, '2026-01-01', '2026-01-01'), (2, '2026-01-01', '0000-00-00'), (3, '2026-02-00', '2026-01-01')`,
    database,
  );
  const tables = await describeTables(server, database, ["t"]);
  const read = async (zeroDates: string, column: number): Promise<void> => {
    const endpoint = { ...server.endpoint(database), settings: { ZeroDates: zeroDates } };
    await using snapshot = await openSnapshot(endpoint, { taskId: "t", tables, anchor: "none" }, unaborted);
    const filter = [[{ column, conditions: [{ operator: "gte", value: "2026-01-01" }] }]] as const;
    const request = {
      table: tables[0]!,
      partition: whole,
      format: "pg-copy-text",
      columns: [0, column],
      filter,
    } as const;
    for await (const _ of snapshot.read(request, unaborted));
  };
  await read("null", 1);
  await assert.rejects(read("null", 2), { code: "source.zero_date" });
  await assert.rejects(read("error", 1), { code: "source.zero_date" });
});
