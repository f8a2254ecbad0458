import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

const servers = await serverPair();
const { source, target } = servers;

test("both servers are restarted in the load and while changes are applied, and both end equal", async () => {
  const pair = await TaskPair.make(servers, {
    name: "restart",
    schema: `create schema app; create table app.t (id int primary key, v text);
      insert into app.t select i, repeat('x', 100) from generate_series(1, 300000) i`,
    settings: JSON.stringify({
      ErrorBehavior: { RecoverableErrorInterval: 1, RecoverableErrorThrottling: false },
    }),
  });
  const task = new ObservedTask(pair.spec);
  const interruptions = (): number =>
    task.logs.filter(({ message }) => message === "task interrupted, trying again").length;
  for (const server of [source, target]) {
    await task.until(({ tables }) => tables.some(({ fullLoadRows }) => fullLoadRows > 0));
    await server.stop("SIGINT");
    await server.start();
  }
  await task.until(({ phase }) => phase === "replicating");
  const inLoad = interruptions();
  assert.ok(inLoad > 0, "the restarts came before the end of the load");
  let rows = 300_000;
  for (const server of [source, target, source]) {
    await server.stop("SIGINT");
    await server.start();
    await pair.query(`insert into app.t select ${rows} + i, 'new' from generate_series(1, 1000) i`);
    rows += 1000;
    const count = async (): Promise<number> =>
      (await pair.queryTarget("select count(*)::int as n from app.t"))[0].n;
    await eventually(`${rows} rows`, async () => (await count()) === rows);
  }
  assert.ok(interruptions() >= inLoad + 3, JSON.stringify(task.logs));
  await task.until(({ phase }) => phase === "replicating");
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await pair.assertEqual();
});
