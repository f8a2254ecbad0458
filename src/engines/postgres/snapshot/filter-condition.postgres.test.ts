import assert from "node:assert/strict";
import { test } from "node:test";
import { describeTable } from "../../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { FilterCondition } from "../../../core/plan.ts";
import { filterCondition } from "./filter-condition.ts";

const server = await serverOfFile(startPostgres());

test("a filter on numbers, times, UUIDs or by equal texts is looked up in an index", async () => {
  const database = await server.createDatabase("filters");
  await server.query(
    `create domain amount as numeric(12, 2);
     create table t (i int, b bigint, n amount, f real, d date, z timestamptz, u uuid, v varchar(40), c char(8));
     insert into t select i, i, i, i, date '2000-01-01' + i, timestamptz '2000-01-01' + i * interval '1 h',
       md5(i::text)::uuid, 'v' || i, 'c' || i from generate_series(1, 20000) i;
     create index on t (i); create index on t (b); create index on t (n); create index on t (f);
     create index on t (d); create index on t (z); create index on t (u); create index on t (v); create index on t (c);
     analyze t`,
    database,
  );
  const table = await describeTable(endpointOf(server, database), { schema: "public", name: "t" });
  const values: readonly (readonly [string, string, string])[] = [
    ["i", "17", "18"],
    ["b", "17", "9223372036854775807"],
    ["n", "17.5", "18"],
    ["f", "17", "18"],
    ["d", "2000-02-01", "2000-02-02"],
    ["z", "2000-02-01 00:00:00+00", "2000-02-01 05:00:00+00"],
    ["u", "c4ca4238-a0b9-2382-0dcc-509a6f75849b", "c4ca4238-a0b9-2382-0dcc-509a6f75849c"],
    ["v", "v17", ""],
    ["c", "c17", ""],
  ];
  for (const [name, from, to] of values) {
    const column = table.columns.findIndex((one) => one.name === name);
    const conditions: FilterCondition[] = [{ operator: "eq", value: from }];
    if (to !== "" && name !== "b") conditions.push({ operator: "between", from, to });
    for (const condition of conditions) {
      const sql = filterCondition([[{ column, conditions: [condition] }]], table);
      const plan = await server.query(`explain select * from t where ${sql}`, database);
      assert.match(JSON.stringify(plan), new RegExp(`t_${name}_idx`), sql);
    }
  }
});
