import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { ObjectGraph } from "./object-graph.ts";

const TABLES = 4000;
/** Far less than loops over all of it take, and far more than it takes without. */
const BOUND = "30s";

test("a database of thousands of tables that has no statistics yet is read in seconds", async () => {
  await using server = await startPostgres({ version: 15, settings: { autovacuum: "off" } });
  for (let from = 1; from <= TABLES; from += 500) {
    await server.query(`do $$ begin for i in ${from}..${from + 499} loop
      execute format('create table t_%s (a int, b text); create index on t_%s (b)', i, i); end loop; end $$`);
  }
  await server.query("create view seen as select a from t_1");
  const client = await server.connect();
  try {
    await client.query(`begin; set local jit = off; set local statement_timeout = '${BOUND}'`);
    const graph = await ObjectGraph.read(client);
    const { rows } = await client.query<{ view: string; table: string }>(
      `select 'pg_class/' || 'seen'::regclass::oid as view, 'pg_class/' || 't_1'::regclass::oid as table`,
    );
    assert.ok(graph.needs(rows[0]!.view).includes(rows[0]!.table));
    const settings = await client.query("show enable_nestloop");
    assert.deepEqual(settings.rows, [{ enable_nestloop: "on" }]);
  } finally {
    await client.end();
  }
});
