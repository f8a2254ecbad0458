import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { endpointOf } from "../support/endpoint.ts";
import { manualExamples } from "../support/manual-examples.ts";
import { EMPLOYEES, type ManualExample } from "../support/manual-rules.ts";
import { mappedServers } from "../support/mapped-move.ts";
import { assertStopped, ObservedTask, taskSpec } from "../support/task.ts";

/* Documents of AWS's manual, carried out as they are: what they make of a table, looked at in the target. */

const { postgres, mariadb } = await mappedServers();

const database = await postgres.createDatabase("manual");
await postgres.query(`create schema test; set search_path = test; ${EMPLOYEES}`, database);
await mariadb.query("create database test");
await mariadb.query(EMPLOYEES.replaceAll('"', "`"), "test");

const sources: readonly (readonly [name: string, endpoint: EndpointConfig])[] = [
  ["PostgreSQL", endpointOf(postgres, database)],
  ["MariaDB", mariadb.endpoint("test")],
];

for (const [name, source] of sources) {
  test(`documents of the manual move a table of ${name} as they say`, async (t) => {
    for (const example of manualExamples) await t.test(example.what, () => assertMoved(source, example));
  });
}

async function assertMoved(
  source: EndpointConfig,
  { rules, made, first, filtered }: ManualExample,
): Promise<void> {
  const to = await postgres.createDatabase("moved");
  const task = new ObservedTask(
    taskSpec({
      ...{ type: "full-load", source, target: endpointOf(postgres, to) },
      tableMappings: JSON.stringify({ rules }),
    }),
  );
  assertStopped(await task.running.outcome);
  const tables = await postgres.query(
    `select table_schema || '.' || table_name || ': ' || string_agg(column_name, ' ' order by ordinal_position) as made
     from information_schema.columns where table_name ~ '^(DMS_)?(employee|staff)$' group by table_schema, table_name`,
    to,
  );
  assert.deepEqual(tables, [{ made }]);
  const [schema, table] = made.slice(0, made.indexOf(":")).split(".");
  const rows = await postgres.query(`select t::text as row from "${schema}"."${table}" t order by t`, to);
  assert.equal(rows[0].row, `(${first})`);
  const kept = rows.map(({ row }) => Number(/\d+/.exec(row)![0]));
  assert.deepEqual(kept, filtered?.kept ?? [10, 11, 50, 75, 76, 100]);
}
