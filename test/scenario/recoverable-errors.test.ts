import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

/* A target that goes away: how often and when each task tries again is what its settings say. */

const servers = await serverPair();
const { target } = servers;

interface Started {
  readonly pair: TaskPair;
  readonly task: ObservedTask;
}

/** A task that replicates, with these RecoverableError settings. */
async function start(settings: Record<string, number | boolean>): Promise<Started> {
  const named = Object.entries(settings).map(([name, value]) => [`RecoverableError${name}`, value]);
  const pair = await TaskPair.make(servers, {
    name: "again",
    schema: "create schema app; create table app.t (id int primary key); insert into app.t values (1)",
    settings: JSON.stringify({
      ErrorBehavior: Object.fromEntries([...named, ["RecoverableErrorInterval", 1]]),
    }),
  });
  const task = new ObservedTask(pair.spec);
  await task.until(({ phase }) => phase === "replicating");
  return { pair, task };
}

/** After how many milliseconds each it has tried again. */
function delays({ task }: Started): readonly unknown[] {
  const again = task.logs.filter(({ message }) => message === "task interrupted, trying again");
  return again.map(({ fields }) => fields["delayMs"]);
}

test("tasks try again as their settings say when the target goes away, and those that may go on do when it is back", async () => {
  const [never, twice, doubling, patient] = (await Promise.all([
    start({ Count: 0 }),
    start({ Count: 2, Throttling: false }),
    start({ Count: -1, Throttling: true, ThrottlingMax: 2 }),
    start({ Count: -1, Throttling: true, ThrottlingMax: 2, StopRetryAfterThrottlingMax: false }),
  ])) as [Started, Started, Started, Started];
  await target.stop("SIGQUIT");
  for (const [started, expected] of [
    [never, []],
    [twice, [1_000, 1_000]],
    [doubling, [1_000, 2_000]],
  ] as const) {
    const { state, error } = await started.task.running.outcome;
    assert.deepEqual([state, error?.code], ["failed", "task.retries_exhausted"], error?.message);
    assert.deepEqual(delays(started), expected);
  }
  await eventually("more tries than the longest delay", async () => delays(patient).length >= 4);
  await patient.pair.query("insert into app.t values (2)");
  await target.start();
  await patient.task.until(({ phase }) => phase === "replicating");
  assert.deepEqual(delays(patient).slice(0, 4), [1_000, 2_000, 2_000, 2_000]);
  const count = async (): Promise<number> =>
    (await patient.pair.queryTarget("select count(*)::int as n from app.t"))[0].n;
  await eventually("the row that came meanwhile", async () => (await count()) === 2);
  patient.task.running.drain();
  assert.equal((await patient.task.running.outcome).state, "stopped");
  await patient.pair.assertEqual();
});
