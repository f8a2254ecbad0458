import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

// Servers of its own: whoever holds such a lock holds up every slot that is made on the server.
const servers = await serverPair();

test("a lock that is held on a table of the source is waited for, and it is said who holds it", async (t) => {
  const schema = "create schema app; create table app.t (id int primary key); insert into app.t values (1)";
  const pair = await TaskPair.make(servers, { name: "locked", schema, type: "full-load" });
  for (const limit of ["statement_timeout", "lock_timeout", "transaction_timeout"])
    await pair.query(`alter role postgres set ${limit} = '5s'`);
  const holder = await servers.source.connect(pair.from);
  t.after(() => holder.end());
  await holder.query(
    "set application_name = 'maintenance'; set statement_timeout = 0; set transaction_timeout = 0",
  );
  await holder.query("begin; lock table app.t");
  const task = new ObservedTask(pair.spec);
  t.after(() => task.running.stop());
  const told = () => task.logs.find(({ message }) => message.includes("waiting for a lock"));
  await eventually("a line that says who holds it", async () => told());
  assert.equal(told()!.fields["side"], "source");
  assert.match(String(told()!.fields["holder"]), /^session \d+ of postgres \(maintenance\)$/);
  // Nothing else is done about a session that waits than to look, from twenty seconds on, whether the server has it still.
  await eventually("a session that has been looked at", async () => {
    const [row] = await pair.query(
      `select count(*)::int as waiting from pg_stat_activity where application_name like 'tideway%'
         and wait_event_type = 'Lock' and query_start < clock_timestamp() - interval '30 seconds'`,
    );
    return row.waiting > 0;
  });
  await holder.query("commit");
  const outcome = await task.running.outcome;
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.ok(!task.logs.some(({ message }) => message.includes("trying again")), JSON.stringify(task.logs));
  await pair.assertEqual();
});
