import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import type { Run } from "../support/killed-task.ts";
import { mysqlKillMappings, mysqlKillRows, mysqlKillSchema } from "../support/mysql-kill-schema.ts";
import { MysqlLife } from "../support/mysql-life.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";

/*
 * A task from MySQL or MariaDB is killed at every step at which it changes something outside of its process, goes on,
 * and in the end both databases are compared row by row.
 */

/** In the order in which a load comes by. */
const whileLoading: readonly (readonly [Failpoint, number])[] = [
  ["journal.tables-made", 1],
  ["journal.log-noted", 1],
  ["prepare.schema-made", 1],
  ["prepare.tables-planned", 1],
  ["prepare.tables-made", 1],
  ["prepare.tables-prepared", 1],
  ["journal.start-noted", 1],
  ["load.tables-cut", 1],
  ["load.snapshot-adopted", 1],
  ["load.partition-read", 2],
  ["load.partition-written", 1],
  ["load.partition-done", 2],
  ["load.table-loaded", 1],
  ["build.key-done", 1],
  ["build.index-done", 1],
  ["build.unique-done", 1],
  ["build.foreign-key-added", 1],
  ["build.foreign-key-done", 1],
  ["build.tables-ready", 1],
];

const whileReplicating: readonly (readonly [Failpoint, number])[] = [
  ["apply.batch-taken", 1],
  ["apply.changes-written", 1],
  ["apply.committed", 1],
  ["apply.durable", 1],
  ["task.drained", 1],
];

async function killAtEach(
  life: MysqlLife,
  places: readonly (readonly [Failpoint, number])[],
  run: (first: boolean) => Run,
): Promise<void> {
  const writer = await life.write(`before ${places[0]![0]}`);
  try {
    for (const [i, [failpoint, arrival]] of places.entries()) {
      writer.note = `${failpoint}:${arrival}`;
      await life.kill({ failpoint, arrival }, run(i === 0));
    }
    assert.ok(writer.commits > 0);
  } finally {
    // A writer that failed is told of by itself, and not together with a kill.
    await writer[Symbol.asyncDispose]();
  }
}

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`killed at each step of load and replication, a task ends with equal databases: ${flavour}`, async () => {
    const servers = await mysqlToPostgres({ flavour });
    const pair = await MysqlPair.make(servers, {
      name: "life",
      schema: `${mysqlKillSchema}; ${mysqlKillRows}`,
      mappings: mysqlKillMappings,
      settings: JSON.stringify({
        ErrorBehavior: { RecoverableErrorInterval: 1 },
        // One partition after the other, so that the places tell which tables are loaded in part.
        FullLoadSettings: { MaxFullLoadSubTasks: 1 },
      }),
    });
    const life = new MysqlLife(pair);
    await killAtEach(life, whileLoading, (first) => ({
      start: first ? "start-replication" : "resume-processing",
    }));
    await life.finish();
    await life.assertEqual();
    await killAtEach(life, whileReplicating, () => ({}));
    await life.finish();
    await life.assertEqual();
  });
}
