import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { eventually } from "../../test/support/eventually.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tideway-workers-"));
});
after(() => rm(directory, { recursive: true }));

/** A server whose workers are made of that code, and a client for it. */
async function serverWith(
  code: string,
): Promise<{ readonly tideway: TidewayServer; readonly client: dms.DatabaseMigrationServiceClient }> {
  const path = join(directory, `${code.length}.mjs`);
  await writeFile(path, code);
  const tideway = await startTideway(path);
  return { tideway, client: await tideway.client() };
}

async function createInstance(client: dms.DatabaseMigrationServiceClient): Promise<string> {
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: "weak",
      ReplicationInstanceClass: "dms.t3.micro",
    }),
  );
  return ReplicationInstance!.ReplicationInstanceArn!;
}

async function instanceStatus(client: dms.DatabaseMigrationServiceClient): Promise<string | undefined> {
  const { ReplicationInstances } = await client.send(new dms.DescribeReplicationInstancesCommand({}));
  return ReplicationInstances![0]?.ReplicationInstanceStatus;
}

test("an instance whose process does not start is shown as failed, and can be deleted", async () => {
  const { tideway, client } = await serverWith("process.exit(3);");
  await using _tideway = tideway;
  const ReplicationInstanceArn = await createInstance(client);
  await eventually("the failure", async () => (await instanceStatus(client)) === "failed");
  const { Events } = await client.send(new dms.DescribeEventsCommand({ EventCategories: ["failover"] }));
  assert.match(Events?.[0]?.Message ?? "", /exit code 3/);
  await client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn }));
  await eventually("the deletion", async () => (await instanceStatus(client)) === undefined);
});

const DIES_AT_WORK = `
  process.on("message", (message) => {
    if (message.kind === "run") process.kill(process.pid, "SIGKILL");
  });
  process.on("disconnect", () => process.exit(0));
  process.send({ kind: "ready" });`;

test("a task that kills its worker again and again fails in the end, and the API answers throughout", async () => {
  const { tideway, client } = await serverWith(DIES_AT_WORK);
  await using _tideway = tideway;
  const ReplicationInstanceArn = await createInstance(client);
  await eventually("the instance", async () => (await instanceStatus(client)) === "available");
  const endpoint = async (type: "source" | "target"): Promise<string | undefined> => {
    const command = new dms.CreateEndpointCommand({
      EndpointIdentifier: type,
      EndpointType: type,
      EngineName: "postgres",
      ServerName: "db.example",
      DatabaseName: "d",
      Username: "u",
    });
    return (await client.send(command)).Endpoint?.EndpointArn;
  };
  const { ReplicationTask } = await client.send(
    new dms.CreateReplicationTaskCommand({
      ReplicationTaskIdentifier: "deadly",
      SourceEndpointArn: await endpoint("source"),
      TargetEndpointArn: await endpoint("target"),
      ReplicationInstanceArn,
      MigrationType: "full-load",
      TableMappings: JSON.stringify({
        rules: [
          {
            "rule-type": "selection",
            "rule-id": "1",
            "rule-name": "1",
            "object-locator": { "schema-name": "%", "table-name": "%" },
            "rule-action": "include",
          },
        ],
      }),
    }),
  );
  const describe = async (): Promise<dms.ReplicationTask> =>
    (await client.send(new dms.DescribeReplicationTasksCommand({}))).ReplicationTasks![0]!;
  await eventually("the task", async () => (await describe()).Status === "ready");
  await client.send(
    new dms.StartReplicationTaskCommand({
      ReplicationTaskArn: ReplicationTask?.ReplicationTaskArn,
      StartReplicationTaskType: "start-replication",
    }),
  );
  const failed = await eventually("its failure", async () => {
    const task = await describe();
    return task.Status === "failed" && task;
  });
  assert.match(failed.LastFailureMessage ?? "", /^task\.worker_died.+SIGKILL.+larger class/);
  assert.equal(failed.StopReason, "Stop Reason RECOVERABLE_ERROR");
  await eventually(
    "a worker again",
    async () => tideway.server.workerPid(ReplicationInstanceArn) !== undefined,
  );
  assert.equal(await instanceStatus(client), "available");
});

const NEVER_ENDS = `
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  setInterval(() => undefined, 1000);
  process.send({ kind: "ready" });`;

test("a worker that does not end by itself does not keep the server from ending", async () => {
  const { tideway, client } = await serverWith(NEVER_ENDS);
  await using _tideway = tideway;
  const arn = await createInstance(client);
  await eventually("the instance", async () => (await instanceStatus(client)) === "available");
  const pid = tideway.server.workerPid(arn)!;
  await tideway.stop();
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});
