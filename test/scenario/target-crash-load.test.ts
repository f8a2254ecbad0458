import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TaskProgress } from "../../src/task/task.ts";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";

/*
 * Partitions and indexes are committed without waiting for the target's disk. A server that is ended at
 * once forgets what it had not written yet, as after a power cut.
 */

let source: PostgresServer;
let target: PostgresServer;

before(async () => {
  const settings = { wal_writer_delay: "10s" };
  [source, target] = await Promise.all([startPostgres(), startPostgres({ settings })]);
});

after(async () => {
  await Promise.all([source?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
});

const rowsOf = (progress: TaskProgress): number =>
  progress.tables.reduce((sum, table) => sum + table.fullLoadRows, 0);

const moments: readonly (readonly [when: string, reached: (progress: TaskProgress) => boolean])[] = [
  ["while small tables are loaded", (progress) => rowsOf(progress) > 300_100],
  ["while a large table is loaded", (progress) => rowsOf(progress) > 150_000],
  ["while indexes are built", (progress) => progress.tables.some(({ activity }) => activity !== undefined)],
];

for (const type of ["full-load", "full-load-and-cdc"] as const) {
  for (const [when, reached] of moments) {
    test(`${type}: a target that loses what it had not written ${when} has all rows once in the end`, async () => {
      const name = `crash_${type.replaceAll("-", "_")}_${when.replaceAll(" ", "_")}`.slice(0, 50);
      const [from, to] = await Promise.all([source.createDatabase(name), target.createDatabase(name)]);
      await source.query(
        `create schema app;
         create table app.big (id int primary key, a int, pad text);
         insert into app.big select i, i % 100, repeat('x', 90) from generate_series(1, 300000) i;
         create index on app.big (a);
         do $$ begin for i in 1..60 loop
           execute format('create table app.t%s (id int primary key, v text unique)', i);
           execute format('insert into app.t%s select n, ''v'' || n from generate_series(1, 20) n', i);
         end loop; end $$;
         analyze`,
        from,
      );
      const task = new ObservedTask(
        taskSpec({
          type,
          source: endpointOf(source, from),
          target: endpointOf(target, to),
          tableMappings: schemas("app"),
          untilCaughtUp: type !== "full-load",
        }),
      );
      await task.until(reached);
      await target.stop("SIGQUIT");
      await target.start();
      const outcome = await task.running.outcome;
      assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
      assert.deepEqual(outcome.suspendedTables, []);
      assert.ok(
        task.logs.some(({ message }) => message === "task interrupted, trying again"),
        "the crash came before the end",
      );
      await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
    });
  }
}
