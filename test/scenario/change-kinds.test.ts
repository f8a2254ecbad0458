import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { type ChangeKind, changeKinds } from "../support/change-kinds.ts";
import { endpointOf } from "../support/endpoint.ts";
import { becomesTrue } from "../support/eventually.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";

/*
 * One task replicates every kind of change twice: few rows, which are applied one by one, and many, which
 * are applied as sets. What both servers say of the rows decides.
 */

/** Those that are sent in binary, and on the versions before 14, which send everything as text, the others too. */
function kindsFor(version: number): readonly ChangeKind[] {
  return changeKinds.filter(({ textOnly }) => textOnly !== true || version < 14);
}

const runs = [
  { rows: 7, suffix: "few" },
  { rows: 150, suffix: "many" },
];

async function change(source: PostgresServer, schema: string, texts: readonly string[]): Promise<void> {
  const client = await source.connect();
  try {
    await client.query(`set search_path = ${schema}`);
    for (const text of texts) await client.query(text);
  } finally {
    await client.end();
  }
}

/** Version 14 is the first to count what it wrote to disk because it did not fit into memory. */
const spilled = "(select coalesce(max(spill_txns), 0) > 0 from pg_stat_replication_slots)";

for (const [from, to] of [
  [12, 18],
  [18, 13],
] as const) {
  test(`changes of every kind arrive from PostgreSQL ${from} on ${to}`, async (t) => {
    await using source = await startPostgres({
      version: from,
      settings: {
        max_prepared_transactions: 4,
        // As if each transaction were larger than the memory for decoding; there since version 16.
        ...(from >= 16 ? { debug_logical_replication_streaming: "immediate" } : {}),
      },
    });
    await using target = await startPostgres({ version: to });
    const cases = kindsFor(from).flatMap((kind, n) =>
      runs.map(({ rows, suffix }) => ({ kind, rows, schema: `k${n}_${suffix}` })),
    );
    for (const { kind, schema } of cases) {
      await source.query(`create schema ${schema}; set search_path = ${schema}; ${kind.schema}`);
    }
    const task = new ObservedTask(
      taskSpec({
        type: "full-load-and-cdc",
        source: endpointOf(source, "postgres"),
        target: endpointOf(target, "postgres"),
        tableMappings: schemas(...cases.map(({ schema }) => schema)),
      }),
    );
    t.after(() => task.running.stop());
    await task.until((progress) => progress.phase === "replicating");
    for (const { kind, rows, schema } of cases) {
      await change(source, schema, kind.changes({ rows, name: schema }));
    }
    if (from >= 16) await becomesTrue(source, "postgres", spilled);
    task.running.drain();
    const outcome = await task.running.outcome;
    assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
    for (const { kind, rows, schema } of cases) {
      await t.test(`${kind.name}, ${rows} rows`, async () => {
        const tables = outcome.progress.tables.filter(({ id }) => id.schema === schema);
        for (const { error } of tables) assert.equal(error, undefined);
        const between = { source, from: "postgres", target, to: "postgres", schemas: [schema] };
        // How a collation is described depends on the version.
        await assertEqualDatabases({ ...between, leaveOut: ["collation"] });
        for (const { id, conflicts } of tables) assert.equal(conflicts, 0, id.name);
      });
    }
  });
}
