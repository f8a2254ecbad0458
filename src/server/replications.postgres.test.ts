import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { eventually } from "../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";
import { everything, type Pair, TaskApi } from "../../test/support/task-api.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

let postgres: PostgresServer;
let tideway: TidewayServer;
let api: TaskApi;

before(async () => {
  [postgres, tideway] = await Promise.all([startPostgres(), startTideway()]);
  api = new TaskApi(postgres, await tideway.client());
});
after(async () => {
  await tideway[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const compute = { MaxCapacityUnits: 2, MinCapacityUnits: 1, ReplicationSubnetGroupId: "default" };

async function create(
  databases: Pair,
  change: Partial<dms.CreateReplicationConfigCommandInput> = {},
): Promise<dms.ReplicationConfig> {
  const { ReplicationConfig } = await api.client.send(
    new dms.CreateReplicationConfigCommand({
      ReplicationConfigIdentifier: api.name("r"),
      SourceEndpointArn: databases.sourceArn,
      TargetEndpointArn: databases.targetArn,
      ReplicationType: "full-load",
      TableMappings: everything,
      ComputeConfig: compute,
      ...change,
    }),
  );
  return ReplicationConfig!;
}

async function describe(arn: string): Promise<dms.Replication> {
  const Filters = [{ Name: "replication-config-arn", Values: [arn] }];
  return (await api.client.send(new dms.DescribeReplicationsCommand({ Filters }))).Replications![0]!;
}

async function start(arn: string, StartReplicationType = "start-replication"): Promise<dms.Replication> {
  const command = new dms.StartReplicationCommand({ ReplicationConfigArn: arn, StartReplicationType });
  return (await api.client.send(command)).Replication!;
}

function stop(arn: string): Promise<unknown> {
  return api.client.send(new dms.StopReplicationCommand({ ReplicationConfigArn: arn }));
}

function modify(arn: string, change: Partial<dms.ModifyReplicationConfigCommandInput>) {
  return api.client.send(new dms.ModifyReplicationConfigCommand({ ReplicationConfigArn: arn, ...change }));
}

/** All states that are seen on the way are added to `seen`. */
function inState(arn: string, wanted: string, seen = new Set<string>()): Promise<dms.Replication> {
  return eventually(`replication to be ${wanted}`, async () => {
    const replication = await describe(arn);
    seen.add(replication.Status!);
    if (replication.Status === "failed" && wanted !== "failed")
      throw new Error(`${replication.FailureMessages}`);
    return replication.Status === wanted && replication;
  });
}

async function remove(arn: string): Promise<void> {
  await api.client.send(new dms.DeleteReplicationConfigCommand({ ReplicationConfigArn: arn }));
  await eventually("replication to be gone", async () => {
    return describe(arn).then(
      () => false,
      (error: Error) => error.name === "ResourceNotFoundFault",
    );
  });
}

/** Without its process nothing of a replication is provisioned. */
function processGone(arn: string): Promise<unknown> {
  return eventually("its process to be gone", async () => tideway.server.workerPid(arn) === undefined);
}

test("a serverless full load runs in a process of its own, which goes with the run", async () => {
  const databases = await api.pair(1000);
  const config = await create(databases, { ResourceIdentifier: "Server-Less", SupplementalSettings: "{}" });
  const arn = config.ReplicationConfigArn!;
  assert.match(arn, /:replication-config:Server-Less$/);
  assert.deepEqual(config.ComputeConfig, { ...compute, MultiAZ: false });
  assert.equal(config.SupplementalSettings, "{}");
  const fresh = await inState(arn, "created");
  assert.deepEqual([fresh.ProvisionData, fresh.ReplicationStats], [undefined, undefined]);
  assert.equal(tideway.server.workerPid(arn), undefined);
  const seen = new Set<string>([(await start(arn)).Status!]);
  const done = await inState(arn, "stopped", seen);
  assert.ok(seen.has("provisioning_capacity"));
  const known =
    /^(created|provisioning_capacity|testing_connection|fetching_metadata|replication_starting|running|stopped)$/;
  assert.deepEqual(
    [...seen].filter((status) => !known.test(status)),
    [],
  );
  assert.equal(done.StopReason, "Stop Reason FULL_LOAD_ONLY_FINISHED");
  assert.deepEqual(done.ProvisionData, { ProvisionState: "deprovisioned", ProvisionedCapacityUnits: 0 });
  assert.deepEqual(done.ReplicationDeprovisionTime, done.ReplicationStats!.StopDate);
  assert.equal(done.ReplicationStats!.TablesLoaded, 1);
  await processGone(arn);
  const statistics = new dms.DescribeReplicationTableStatisticsCommand({ ReplicationConfigArn: arn });
  const [table] = (await api.client.send(statistics)).ReplicationTableStatistics!;
  assert.deepEqual(
    [table?.TableName, table?.FullLoadRows, table?.TableState],
    ["item", 1000, "Table completed"],
  );
  assert.equal(await api.count(databases.target), 1000);
  const instances = await api.client.send(new dms.DescribeReplicationInstancesCommand({}));
  assert.deepEqual(instances.ReplicationInstances, []);
  const { Events } = await api.client.send(
    new dms.DescribeEventsCommand({
      SourceType: "replication-task" as "replication-instance",
      SourceIdentifier: config.ReplicationConfigIdentifier,
    }),
  );
  assert.deepEqual(
    Events!.map((event) => /DMS-EVENT-(\d+)/.exec(event.Message!)![1]),
    ["0074", "0069", "0079"],
  );
  await remove(arn);
});

test("a killed process and a restarted server lose nothing of a serverless replication", async () => {
  const databases = await api.pair(100);
  const insert = (from: number, to: number): Promise<unknown> =>
    postgres.query(`insert into item select n from generate_series(${from}, ${to}) n`, databases.source);
  const arn = (await create(databases, { ReplicationType: "full-load-and-cdc" })).ReplicationConfigArn!;
  // As Terraform's provider starts it for the first time.
  await start(arn, "resume-processing");
  const running = await inState(arn, "running");
  assert.equal(running.StartReplicationType, "resume-processing");
  assert.equal(running.ProvisionData?.ProvisionState, "provisioned");
  assert.equal(running.ProvisionData?.ProvisionedCapacityUnits, 2);
  await api.untilRows(databases.target, 100);
  await assert.rejects(modify(arn, { ReplicationType: "cdc" }), {
    name: "InvalidResourceStateFault",
    message: `Replication for Replication Config: ${arn} is in RUNNING state and cannot be modified.`,
  });
  await assert.rejects(start(arn, "resume-processing"), { message: /is in RUNNING state and cannot start/ });
  const killed = tideway.server.workerPid(arn)!;
  process.kill(killed, "SIGKILL");
  await insert(101, 200);
  await api.untilRows(databases.target, 200);
  assert.notEqual(tideway.server.workerPid(arn), killed);
  await tideway.stop();
  await insert(201, 300);
  await tideway.start();
  api.client = await tideway.client();
  await api.untilRows(databases.target, 300);
  await inState(arn, "running");
  await postgres.query("delete from item where id = 1", databases.target);
  const reload = (TableName: string, ReloadOption?: dms.ReloadOptionValue): Promise<unknown> =>
    api.client.send(
      new dms.ReloadReplicationTablesCommand({
        ReplicationConfigArn: arn,
        TablesToReload: [{ SchemaName: "public", TableName }],
        ReloadOption,
      }),
    );
  await assert.rejects(reload("none"), { name: "InvalidParameterValueException" });
  await assert.rejects(reload("item", "validate-only"), { message: /only when EnableValidation is true/ });
  await reload("item", "data-reload");
  await api.untilRows(databases.target, 300);
  await stop(arn);
  const stopped = await inState(arn, "stopped");
  assert.match(stopped.RecoveryCheckpoint ?? "", /^checkpoint:V1#1#/);
  await processGone(arn);
  await assert.rejects(stop(arn), { name: "InvalidResourceStateFault", message: /currently not running/ });
  await insert(301, 310);
  await modify(arn, { ComputeConfig: { MaxCapacityUnits: 4 } });
  assert.equal((await describe(arn)).Status, "stopped");
  await start(arn, "resume-processing");
  assert.equal((await inState(arn, "running")).ProvisionData?.ProvisionedCapacityUnits, 4);
  await api.untilRows(databases.target, 310);
  await stop(arn);
  await inState(arn, "stopped");
  const slots = (): Promise<unknown[]> =>
    postgres.query(`select from pg_replication_slots where database = '${databases.source}'`);
  assert.equal((await slots()).length, 1);
  await remove(arn);
  assert.equal((await slots()).length, 0);
  await processGone(arn);
});

test("a start that a server has stored before it ended is done by the next one, and so is a deletion", async () => {
  const databases = await api.pair(3);
  const arn = (await create(databases)).ReplicationConfigArn!;
  await start(arn, "creating");
  await tideway.stop();
  await tideway.start();
  api.client = await tideway.client();
  await inState(arn, "stopped");
  assert.equal(await api.count(databases.target), 3);
  await processGone(arn);
  await api.client.send(new dms.DeleteReplicationConfigCommand({ ReplicationConfigArn: arn }));
  await tideway.stop();
  await tideway.start();
  api.client = await tideway.client();
  await eventually("replication to be gone", async () => {
    const { ReplicationConfigs } = await api.client.send(new dms.DescribeReplicationConfigsCommand({}));
    return ReplicationConfigs!.every((one) => one.ReplicationConfigArn !== arn);
  });
  await processGone(arn);
});

test("a configuration and a task may have one name, and neither is seen by the other's operations", async () => {
  const databases = await api.pair(1);
  const other = await TaskApi.start(postgres, tideway);
  const task = await other.createTask(databases, { ReplicationTaskIdentifier: "same-name" });
  const config = await create(databases, { ReplicationConfigIdentifier: "same-name" });
  const arn = config.ReplicationConfigArn!;
  await assert.rejects(create(databases, { ReplicationConfigIdentifier: "SAME-name" }), {
    name: "ResourceAlreadyExistsFault",
  });
  const missing = { name: "ResourceNotFoundFault" };
  await assert.rejects(other.start(arn), missing);
  await assert.rejects(other.stop(arn), missing);
  await assert.rejects(
    api.client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn })),
    missing,
  );
  await assert.rejects(start(task), missing);
  await assert.rejects(modify(task, { ReplicationType: "cdc" }), missing);
  const { ReplicationTasks } = await api.client.send(new dms.DescribeReplicationTasksCommand({}));
  assert.deepEqual(
    ReplicationTasks!.map((one) => one.ReplicationTaskArn),
    [task],
  );
  const ofConfig = { EndpointArn: databases.sourceArn };
  await other.remove(task);
  await assert.rejects(api.client.send(new dms.DeleteEndpointCommand(ofConfig)), {
    name: "InvalidResourceStateFault",
  });
  await remove(arn);
});

test("a failure is in the messages, and what cannot be is refused", async () => {
  const databases = await api.pair(1);
  const wrong = await api.endpoint("source", databases.source, { Password: "Wrong-Xyzzy" });
  const arn = (await create({ ...databases, sourceArn: wrong })).ReplicationConfigArn!;
  // No start type of AWS's model, but one that Terraform's provider sends.
  await start(arn, "creating");
  const failed = await inState(arn, "failed");
  assert.match(failed.FailureMessages![0]!, /^auth\.failed/);
  assert.equal(failed.StopReason, "Stop Reason FATAL_ERROR");
  await processGone(arn);
  await assert.rejects(modify(arn, { SourceEndpointArn: databases.sourceArn }), {
    name: "InvalidParameterCombinationException",
    message: /cannot be changed once its replication has run/,
  });
  await assert.rejects(modify(arn, {}), { message: /No modifications were requested/ });
  await assert.rejects(start(arn, "again"), { name: "ValidationException" });
  await assert.rejects(start(arn), { message: /valid only for tasks running for the first time/ });
  await api.client.send(new dms.ModifyEndpointCommand({ EndpointArn: wrong, Password: postgres.password }));
  await start(arn, "creating");
  await inState(arn, "stopped");
  assert.equal(await api.count(databases.target), 1);
  const refusals: readonly [Partial<dms.CreateReplicationConfigCommandInput>, string][] = [
    [{ ComputeConfig: { MaxCapacityUnits: 3 } }, "InvalidParameterValueException"],
    [{ ComputeConfig: { MinCapacityUnits: 1 } }, "InvalidParameterValueException"],
    [{ ComputeConfig: { ...compute, MinCapacityUnits: 4 } }, "InvalidParameterCombinationException"],
    [{ ComputeConfig: { ...compute, ReplicationSubnetGroupId: "none" } }, "ResourceNotFoundFault"],
    [{ ReplicationType: "full" as "cdc" }, "ValidationException"],
    [{ SupplementalSettings: "{" }, "InvalidParameterValueException"],
    [{ SourceEndpointArn: databases.targetArn }, "InvalidParameterValueException"],
  ];
  for (const [change, name] of refusals) {
    await assert.rejects(create(databases, change), { name }, JSON.stringify(change));
  }
  await remove(arn);
});
