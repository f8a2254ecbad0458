import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";
import { everything, TaskApi } from "../../test/support/task-api.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

let postgres: PostgresServer;
let tideway: TidewayServer;
let api: TaskApi;

before(async () => {
  [postgres, tideway] = await Promise.all([startPostgres(), startTideway()]);
  api = await TaskApi.start(postgres, tideway);
});
after(async () => {
  await tideway[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

test("a full load goes from ready to stopped and its statistics stay", async () => {
  const databases = await api.pair(1000);
  const arn = await api.createTask(databases, { ResourceIdentifier: "Full-Load-1" });
  assert.match(arn, /:task:Full-Load-1$/);
  assert.equal((await api.start(arn)).Status, "starting");
  const task = await api.inState(arn, "stopped");
  assert.equal(task.StopReason, "Stop Reason FULL_LOAD_ONLY_FINISHED");
  assert.equal(task.ReplicationTaskStats?.FullLoadProgressPercent, 100);
  assert.equal(task.ReplicationTaskStats?.TablesLoaded, 1);
  assert.ok(task.ReplicationTaskStats?.StopDate instanceof Date);
  const { TableStatistics } = await api.client.send(
    new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn }),
  );
  const [table] = TableStatistics!;
  assert.deepEqual(
    [table?.SchemaName, table?.TableName, table?.FullLoadRows, table?.TableState],
    ["public", "item", 1000, "Table completed"],
  );
  assert.equal(await api.count(databases.target), 1000);
  assert.deepEqual(await api.eventsOf(arn), ["0074", "0069", "0079"]);
  const settings = JSON.parse(task.ReplicationTaskSettings!);
  assert.equal(settings.FullLoadSettings.MaxFullLoadSubTasks, 8);
  assert.equal(task.TableMappings, everything);
});

test("the ways to start follow AWS's rules and texts", async () => {
  const databases = await api.pair(1);
  const arn = await api.createTask(databases);
  await assert.rejects(api.start(arn, "resume-processing"), { name: "InvalidParameterCombinationException" });
  await assert.rejects(api.start(arn, "again" as "reload-target"), { name: "ValidationException" });
  await api.start(arn);
  await api.inState(arn, "stopped");
  await assert.rejects(api.start(arn), {
    name: "InvalidParameterCombinationException",
    message: /Start Type : START_REPLICATION, valid only for tasks running for the first time/,
  });
  const first = await api.describe(arn);
  await postgres.query("insert into item values (2, 'new')", databases.source);
  await api.start(arn, "reload-target");
  const second = await api.inState(arn, "stopped");
  assert.equal(await api.count(databases.target), 2);
  const fresh = (task: dms.ReplicationTask): number => task.ReplicationTaskStats!.FreshStartDate!.getTime();
  assert.ok(fresh(second) > fresh(first));
  await assert.rejects(api.client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: arn })), {
    name: "InvalidResourceStateFault",
    message: /is currently not running/,
  });
  await assert.rejects(
    api.client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: "arn:none" })),
    {
      name: "ResourceNotFoundFault",
    },
  );
});

test("tasks that cannot be are refused before anything is made", async () => {
  const databases = await api.pair(0);
  const refusals: readonly [Partial<dms.CreateReplicationTaskCommandInput>, string, RegExp][] = [
    [{ MigrationType: "full" as "cdc" }, "ValidationException", /migrationType/],
    [{ TableMappings: "{" }, "InvalidParameterValueException", /^Error in mapping rules/],
    [{ TableMappings: '{"rules":[]}' }, "InvalidParameterValueException", /^Error in mapping rules/],
    [{ ReplicationTaskSettings: "[" }, "InvalidParameterValueException", /Invalid task settings JSON/],
    [{ SourceEndpointArn: databases.targetArn }, "InvalidParameterValueException", /is a target endpoint/],
    [{ SourceEndpointArn: "arn:none" }, "ResourceNotFoundFault", /Endpoint not found/],
    [{ ReplicationInstanceArn: "arn:none" }, "ResourceNotFoundFault", /Instance not found/],
    [
      { CdcStartPosition: "0/1" },
      "InvalidParameterCombinationException",
      /only for tasks of migration type cdc/,
    ],
    [
      { MigrationType: "cdc", CdcStartTime: new Date(), CdcStartPosition: "0/1" },
      "InvalidParameterCombinationException",
      /cannot both be given/,
    ],
    [{ MigrationType: "cdc", CdcStartTime: new Date() }, "InvalidParameterValueException", /by time/],
    [
      { MigrationType: "cdc", CdcStopPosition: "server_time:now" },
      "InvalidParameterValueException",
      /server_time/,
    ],
    [{ ReplicationTaskIdentifier: "-x" }, "InvalidParameterValueException", /not a valid identifier/],
  ];
  for (const [change, name, message] of refusals) {
    await assert.rejects(api.createTask(databases, change), { name, message }, JSON.stringify(change));
  }
  await api.createTask(databases, { ResourceIdentifier: "Same-Id", ReplicationTaskIdentifier: "twin" });
  for (const change of [{ ResourceIdentifier: "SAME-id" }, { ReplicationTaskIdentifier: "TWIN" }]) {
    await assert.rejects(api.createTask(databases, change), { name: "ResourceAlreadyExistsFault" });
  }
});

test("what a task uses cannot be deleted, and a task at rest can be changed", async () => {
  const databases = await api.pair(0);
  const arn = await api.createTask(databases);
  await assert.rejects(api.client.send(new dms.DeleteEndpointCommand({ EndpointArn: databases.sourceArn })), {
    name: "InvalidResourceStateFault",
    message: /part of one or more ReplicationTasks/,
  });
  const removeInstance = new dms.DeleteReplicationInstanceCommand({
    ReplicationInstanceArn: api.instanceArn,
  });
  await assert.rejects(api.client.send(removeInstance), { name: "InvalidResourceStateFault" });
  const modify = async (
    change: Partial<dms.ModifyReplicationTaskCommandInput>,
  ): Promise<dms.ReplicationTask> =>
    (await api.client.send(new dms.ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, ...change })))
      .ReplicationTask!;
  await assert.rejects(modify({}), { message: /No modifications were requested on the task/ });
  await assert.rejects(modify({ TableMappings: "{}" }), { message: /^Error in mapping rules/ });
  const given = { FullLoadSettings: { MaxFullLoadSubTasks: 3 } };
  await modify({ MigrationType: "full-load-and-cdc", ReplicationTaskSettings: JSON.stringify(given) });
  const task = await api.inState(arn, "ready");
  assert.equal(task.MigrationType, "full-load-and-cdc");
  assert.equal(JSON.parse(task.ReplicationTaskSettings!).FullLoadSettings.MaxFullLoadSubTasks, 3);
  await api.remove(arn);
});
