import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

test("a stream that cannot start names who is in the way, gives up at its limit, and leaves nothing behind", async () => {
  await using source = await startPostgres();
  await using target = await startPostgres();
  await source.query(
    "create schema app; create table app.t (id int primary key); insert into app.t values (1)",
  );
  const writer = await source.connect("postgres");
  await writer.query("set application_name = 'nightly job'; begin; insert into app.t values (2)");
  const spec = taskSpec({
    type: "full-load-and-cdc",
    source: endpointOf(source, "postgres"),
    target: endpointOf(target, "postgres"),
    tableMappings: schemas("app"),
    settings: JSON.stringify({ TidewaySettings: { StreamStartLimitSeconds: 1 } }),
  });
  const { outcome } = await runToEnd(spec);
  assert.equal(outcome.error?.code, "source.long_transaction");
  assert.match(outcome.error.subject ?? "", /^session \d+ of postgres \(nightly job\)$/);
  const left = `select slot_name as name from pg_replication_slots union all select pubname from pg_publication
    union all select evtname from pg_event_trigger union all select nspname from pg_namespace where nspname ~ 'tideway'`;
  assert.deepEqual(await source.query(left), []);
  await writer.query("commit");
  await writer.end();
  const task = new ObservedTask(spec);
  await task.until(({ phase }) => phase === "replicating");
  task.running.drain();
  assert.equal((await task.running.outcome).state, "stopped");
  await assertEqualDatabases({ source, from: "postgres", target, to: "postgres", schemas: ["app"] });
});
