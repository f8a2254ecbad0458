import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { RetryProgress } from "../../src/task/task.ts";
import { becomesTrue } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { retrySettings } from "../support/retry-pair.ts";
import { serverOfFile } from "../support/server-pair.ts";
import type { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

/* The source stands in the way of rows that are tried again, which is no reason for the task to fail. */

const [source, target] = await Promise.all([
  serverOfFile(startPostgres({ settings: { max_replication_slots: "3" } })),
  serverOfFile(startPostgres()),
]);

const pairs: TaskPair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

const TABLE = "create schema app; create table app.t (id int primary key, v varchar(40))";

/** A task with a row that its target refuses until its column is widened. */
async function refusing(): Promise<{ readonly pair: TaskPair; readonly task: ObservedTask }> {
  const pair = await TaskPair.make(
    { source, target },
    { name: "retry_source", schema: TABLE, settings: retrySettings() },
  );
  pairs.push(pair);
  await pair.queryTarget(`${TABLE}; alter table app.t alter column v type varchar(4)`);
  await pair.query("insert into app.t values (1, 'ok')");
  const task = await pair.replicate();
  await pair.query("insert into app.t values (2, 'far too long')");
  await task.until(({ tables }) => tables.every(({ refused }) => refused === 1));
  await pair.queryTarget("alter table app.t alter column v type varchar(40)");
  return { pair, task };
}

async function retried(task: ObservedTask, number: number): Promise<RetryProgress> {
  task.running.retryErrors({ number, tables: undefined });
  await task.until(
    ({ retry }) => retry?.number === number && (retry.state === "done" || retry.state === "failed"),
  );
  return task.last!.retry!;
}

test("a source that gives no snapshot fails the wish, and the task goes on", async () => {
  const { pair, task } = await refusing();
  const taken = "select pg_create_physical_replication_slot('taken_' || i) from generate_series(1, 2) i";
  await pair.query(taken);
  const failed = await retried(task, 1);
  assert.deepEqual([failed.state, failed.error?.code], ["failed", "source.no_free_slot"]);
  await pair.query("select pg_drop_replication_slot('taken_' || i) from generate_series(1, 2) i");
  const { state, tables } = await retried(task, 2);
  assert.deepEqual([state, tables.map(({ left }) => left)], ["done", [0]]);
  await pair.drain(task);
  await pair.assertEqual();
});

test("a table that is truncated before its rows are read is read again", async () => {
  const { pair, task } = await refusing();
  const client = await target.connect(pair.to);
  await client.query("begin; lock table awsdms_apply_exceptions in exclusive mode");
  const done = retried(task, 1);
  await becomesTrue(
    target,
    pair.to,
    "exists (select from pg_locks where not granted and relation = 'awsdms_apply_exceptions'::regclass)",
  );
  await pair.query("truncate app.t; insert into app.t values (2, 'far too long'), (3, 'new')");
  await client.query("commit");
  await client.end();
  const { state, error, tables } = await done;
  assert.deepEqual([state, error, tables.map(({ left }) => left)], ["done", undefined, [0]]);
  await pair.drain(task);
  await pair.assertEqual();
});
