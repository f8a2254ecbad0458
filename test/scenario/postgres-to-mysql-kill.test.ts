import { test } from "node:test";
import { KillWorkload, killRows, killSchema } from "../support/kill-schema.ts";
import { RELAXED } from "../support/mysql-server.ts";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";
import { assertStopped } from "../support/task.ts";

/*
 * A task from PostgreSQL to MySQL or MariaDB is killed at every step at which it changes something on the target, goes
 * on, and in the end both databases are compared row by row.
 */

const tables = ["ranged", "blocks", "child", "event", "log", "part_low", "part_high"].map((name) => {
  return { schema: "app", name };
});

/** In the order in which a task comes by. */
const places = [
  "journal.tables-made",
  "journal.log-noted",
  "prepare.schema-made",
  "prepare.tables-planned",
  "prepare.tables-made",
  "prepare.tables-prepared",
  "load.tables-cut",
  "load.snapshot-adopted",
  "load.partition-read:2",
  "load.partition-written",
  "load.partition-done:2",
  "load.table-loaded",
  "build.index-done",
  "build.unique-done",
  "build.foreign-key-added",
  "build.foreign-key-done",
  "apply.committed",
  "apply.durable",
] as const;

/** Each server is met at every second place: what differs between them is the servers' own. */
const flavours = ["mariadb", "mysql"] as const;

for (const [nth, flavour] of flavours.entries()) {
  test(`killed at each step of load and replication, a task ends with equal databases: ${flavour}`, async () => {
    const servers = await postgresToMysql({ flavour, settings: RELAXED });
    const pair = await ToMysqlPair.make(servers, {
      sql: killSchema + killRows,
      schemas: ["app", "awsdms_control"],
    });
    {
      await using writer = await KillWorkload.start(servers.source, pair.database, "begin");
      const own = places.filter((_, i) => i % flavours.length === nth);
      for (const [i, arming] of own.entries()) {
        writer.note = arming;
        const start = i === 0 ? "start-replication" : "resume-processing";
        await pair.killAt(arming, { start, untilCaughtUp: true });
      }
    }
    const { outcome } = await pair.process({ untilCaughtUp: true }).ended();
    assertStopped(outcome!);
    await pair.assertEqual(tables);
  });
}
