import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../test/support/eventually.ts";
import { taskRecord } from "../../test/support/task-record.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { EndpointRecord, InstanceRecord, TaskRecord } from "./records.ts";
import { Supervisor } from "./supervisor.ts";

const workerPath = fileURLToPath(new URL("../../test/support/told-worker.ts", import.meta.url));

const endpoint = { createdMs: 0, engineName: "postgres", host: "h", port: 1, database: "d", username: "u" };
const endpoints = (["source", "target"] as const).map(
  (type): EndpointRecord => ({
    ...endpoint,
    ...{ arn: `arn:${type}`, identifier: type, type, sslMode: "none", givenSettings: {}, settings: {} },
  }),
);

const record: TaskRecord = {
  ...taskRecord,
  run: { mode: "resume-processing", type: "full-load-and-cdc", streamed: false, startedMs: 0, freshMs: 0 },
};

const wanted = (number: number): TaskRecord => ({
  ...record,
  retry: { wish: { number, tables: undefined } },
});

/** What the worker of a task is told: the task may be asked for something while it is handed over. */
async function told(
  asked: (supervisor: Supervisor, store: ReturnType<typeof openSqliteStore>) => Promise<void>,
  count: number,
): Promise<readonly unknown[]> {
  const directory = await mkdtemp(join(tmpdir(), "tideway-supervisor-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true }));
  const store = opened.use(openSqliteStore(directory, {}));
  const heard: unknown[] = [];
  const supervisor = new Supervisor({
    store,
    workerPath,
    log: (_level, message, fields) => heard.push([message, fields?.retry]),
  });
  opened.defer(() => supervisor.close());
  for (const one of endpoints) await store.insert("endpoint", one);
  supervisor.startInstance({
    arn: "arn:i",
    identifier: "i",
    instanceClass: "dms.t3.medium",
  } as InstanceRecord);
  await eventually("the worker to be ready", async () => supervisor.hasWorkerFor(record));
  await store.insert("task", record);
  await asked(supervisor, store);
  await eventually("the worker to be told", async () => heard.length >= count);
  return heard;
}

test("a wish that comes while a task is handed to its worker goes with it", async () => {
  const heard = await told(async (supervisor) => {
    const handed = supervisor.runTask(record);
    supervisor.retryErrors(wanted(1));
    await handed;
    supervisor.retryErrors(wanted(2));
  }, 2);
  assert.deepEqual(heard, [
    ["run", 1],
    ["retry", 2],
  ]);
});

test("a task is handed over as it is stored, and not as it was when its worker had died", async () => {
  const heard = await told(async (supervisor, store) => {
    await store.update("task", record.arn, () => wanted(3));
    await supervisor.runTask(record);
  }, 1);
  assert.deepEqual(heard, [["run", 3]]);
});

test("a task that is stopped while it is handed over does not begin", async () => {
  const heard = await told(async (supervisor, store) => {
    const handed = supervisor.runTask(record);
    supervisor.stopTask(record);
    await handed;
    await eventually(
      "it to be stopped",
      async () => (await store.get("task", "arn:t"))?.status === "stopped",
    );
  }, 1);
  assert.deepEqual(heard, [["task stopped", undefined]]);
});
