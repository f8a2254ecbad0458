import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { serviceEvent } from "../../src/task/events.ts";
import type { TaskRecord } from "../../src/task/records.ts";
import type { TaskProgress } from "../../src/task/task.ts";
import { TaskLedger } from "../../src/task/task-ledger.ts";
import { eventually } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { CANNOT_MOUNT, SmallDisk } from "../support/small-disk.ts";
import { TaskApi } from "../support/task-api.ts";
import { realWorker, TidewayServer } from "../support/tideway-server.ts";

const arn = "arn:aws:dms:local:1:task:T";
const record: TaskRecord = {
  arn,
  identifier: "orders",
  createdMs: 0,
  taskId: "t",
  instanceArn: "i",
  sourceArn: "s",
  targetArn: "t",
  migrationType: "full-load",
  tableMappings: "{}",
  settings: "{}",
  status: "running",
  run: { mode: "resume-processing", type: "full-load", streamed: false, startedMs: 0, freshMs: 0 },
};

function progressOf(fullLoadPercent: number): TaskProgress {
  return {
    phase: "full-load",
    tables: [],
    startedMs: 0,
    fullLoadStartMs: 0,
    fullLoadEndMs: undefined,
    fullLoadPercent,
    fullLoadSecondsLeft: undefined,
    recoveryCheckpoint: undefined,
    lag: undefined,
    log: undefined,
  };
}

test("what a task tells while the data directory's disk is full is stored when there is space", async (t) => {
  await using disk = await SmallDisk.mount("2m");
  if (disk === undefined) return t.skip(CANNOT_MOUNT);
  await using store = openSqliteStore(disk.directory, {});
  await store.insert("task", record);
  await disk.fill();
  await assert.rejects(store.insert("task", { ...record, arn: "b", identifier: "b" }), {
    code: "server.store_full",
    retry: "backoff",
  });
  const waits = Promise.withResolvers<void>();
  const logs: string[] = [];
  const ledger = new TaskLedger(store, (_level, message) => {
    logs.push(message);
    if (message === "states wait to be stored") waits.resolve();
  });
  ledger.progress(arn, progressOf(50));
  await waits.promise;
  const progress = progressOf(100);
  const stopReason = "FULL_LOAD_ONLY_FINISHED";
  ledger.finished(arn, { state: "stopped", stopReason, error: undefined, suspendedTables: [], progress });
  const endedMs = Date.now();
  assert.ok(ledger.hasEnded(arn));
  assert.equal((await store.get("task", arn))?.status, "running", "reading goes on");
  await disk.free();
  await ledger.settle();
  const stored = await store.get("task", arn);
  assert.deepEqual(
    [stored?.status, stored?.stopReason, stored?.stats?.fullLoadPercent],
    ["stopped", `Stop Reason ${stopReason}`, 100],
  );
  assert.ok(!ledger.hasEnded(arn));
  assert.ok(stored!.run!.stoppedMs! <= endedMs, "the time is that of the end");
  const events = await store.events({ sinceMs: 0, untilMs: endedMs });
  assert.equal(events.length, 1);
  assert.deepEqual(logs, ["states wait to be stored", "states are stored again", "task stopped"]);
});

test("a server that ends while the disk is full does not wait for space", async (t) => {
  await using disk = await SmallDisk.mount("2m");
  if (disk === undefined) return t.skip(CANNOT_MOUNT);
  await using store = openSqliteStore(disk.directory, {});
  await store.insert("task", { ...record, arn: "c", identifier: "c" });
  await disk.fill();
  const logs: string[] = [];
  const ledger = new TaskLedger(store, (_level, message) => logs.push(message));
  ledger.progress("c", progressOf(50));
  await ledger.close();
  assert.ok(logs.includes("state not stored"), JSON.stringify(logs));
});

test("however much happens while the disk is full, each task is written once and the newest events are kept", async (t) => {
  await using disk = await SmallDisk.mount("2m");
  if (disk === undefined) return t.skip(CANNOT_MOUNT);
  await using store = openSqliteStore(disk.directory, {});
  await store.insert("task", record);
  await disk.fill();
  const ledger = new TaskLedger(store, () => undefined);
  let writes = 0;
  for (let i = 0; i < 5000; i++) {
    ledger.happened(serviceEvent("workerLost", { identifier: "worker", detail: `${i}` }));
    ledger.progress(arn, progressOf(i / 50));
    ledger.abandoned(arn, "NORMAL", undefined);
    ledger.inOrder("state", async () => {
      await store.setTags(arn, [{ key: "state", value: `${i}` }]);
      writes++;
    });
  }
  await disk.free();
  await ledger.settle();
  assert.equal(writes, 1);
  assert.deepEqual(await store.tags(arn), [{ key: "state", value: "4999" }]);
  assert.equal((await store.get("task", arn))?.status, "stopped");
  const events = await store.events({ sinceMs: 0, untilMs: Date.now() });
  const lost = events.filter(({ sourceIdentifier }) => sourceIdentifier === "worker");
  assert.equal(lost.length, 1000);
  assert.match(lost.at(-1)!.message, / 4999 /);
});

test("the end of a connection test that a full disk did not take is told when there is space", async (t) => {
  await using disk = await SmallDisk.mount("8m");
  if (disk === undefined) return t.skip(CANNOT_MOUNT);
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  await using tideway = new TidewayServer(join(disk.directory, "data"), realWorker);
  await tideway.start();
  await using postgres = await startPostgres();
  const api = await TaskApi.start(postgres, tideway);
  const { client } = api;
  const { port: Port } = silent.address() as AddressInfo;
  const EndpointArn = await api.endpoint("source", "none", { Port });
  const pair = { EndpointArn, ReplicationInstanceArn: api.instanceArn };
  await client.send(new dms.TestConnectionCommand(pair));
  await eventually("the test to connect", async () => sockets.length > 0);
  await disk.fill();
  const tag = new dms.AddTagsToResourceCommand({ ResourceArn: EndpointArn, Tags: [{ Key: "k" }] });
  await assert.rejects(client.send(tag), { name: "InternalFailure", message: /disk is full/ });
  for (const socket of sockets) socket.destroy();
  silent.close();
  const logged = async () => tideway.log.some((line) => line.includes("states wait to be stored"));
  await eventually("the end of the test", logged);
  await disk.free();
  const filter = { Name: "endpoint-arn", Values: [EndpointArn] };
  await eventually("the test to have failed", async () => {
    const { Connections } = await client.send(new dms.DescribeConnectionsCommand({ Filters: [filter] }));
    return Connections![0]!.Status === "failed";
  });
});
