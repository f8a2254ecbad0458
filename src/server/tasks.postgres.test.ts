import assert from "node:assert/strict";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { everything } from "../../test/support/task-api.ts";
import { taskService } from "../../test/support/task-service.ts";

const { postgres, api } = await taskService();

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
    [
      { TableMappings: '{"rules":[{"rule-type":"selection","rule-id":"7"}]}' },
      "InvalidParameterValueException",
      /^Error in mapping rules\. Rule with ruleId = 7 failed validation\./,
    ],
    [{ ReplicationTaskSettings: "[" }, "InvalidParameterValueException", /^Invalid task settings JSON\. /],
    [
      { ReplicationTaskSettings: `${'{"A":'.repeat(20_000)}1${"}".repeat(20_000)}` },
      "InvalidParameterValueException",
      /nested too deeply/,
    ],
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

test("a full load that is to replicate as well is not resumed, since changes would be missing", async () => {
  const databases = await api.pair(1);
  const arn = await api.createTask(databases);
  const slots = (): Promise<unknown[]> =>
    postgres.query(
      `select 1 from pg_replication_slots where database = '${databases.source}'
      union all select 1 from pg_publication`,
      databases.source,
    );
  const modify = (MigrationType: dms.MigrationTypeValue): Promise<unknown> =>
    api.client.send(new dms.ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, MigrationType }));
  await api.start(arn);
  await api.inState(arn, "stopped");
  await postgres.query("insert into item values (2, 'between')", databases.source);
  await modify("full-load-and-cdc");
  await assert.rejects(api.start(arn, "resume-processing"), {
    name: "InvalidParameterCombinationException",
    message: /Use reload-target/,
  });
  await modify("cdc");
  await assert.rejects(api.start(arn, "resume-processing"), { message: /Create a new task of type cdc/ });
  await modify("full-load-and-cdc");
  await api.start(arn, "reload-target");
  await api.untilRows(databases.target, 2);
  await api.stop(arn);
  assert.equal((await slots()).length, 2);
  // What it left on the source goes with it, even when it no longer replicates.
  await modify("full-load");
  await api.remove(arn);
  assert.equal((await slots()).length, 0);
});

test("a task at rest is moved to another instance and goes on there", async () => {
  const databases = await api.pair(1);
  const arn = await api.createTask(databases, { MigrationType: "full-load-and-cdc" });
  const create = async (ReplicationInstanceIdentifier: string, EngineVersion: string): Promise<string> => {
    const members = {
      ReplicationInstanceIdentifier,
      EngineVersion,
      ReplicationInstanceClass: "dms.t3.small",
    };
    const { ReplicationInstance } = await api.client.send(new dms.CreateReplicationInstanceCommand(members));
    return ReplicationInstance!.ReplicationInstanceArn!;
  };
  const other = await create("other", "3.6.1");
  const older = await create("older", "3.5.4");
  const move = async (TargetReplicationInstanceArn: string): Promise<dms.ReplicationTask> => {
    const command = new dms.MoveReplicationTaskCommand({
      ReplicationTaskArn: arn,
      TargetReplicationInstanceArn,
    });
    return (await api.client.send(command)).ReplicationTask!;
  };
  await dms.waitUntilReplicationInstanceAvailable(waiting(api.client), {});
  await assert.rejects(move("arn:none"), { name: "ResourceNotFoundFault" });
  await assert.rejects(move(api.instanceArn), { name: "InvalidParameterCombinationException" });
  await assert.rejects(move(older), { message: /has engine version 3\.5\.4, which is older than 3\.6\.1/ });
  await api.start(arn);
  await api.untilRows(databases.target, 1);
  await assert.rejects(move(other), { name: "InvalidResourceStateFault" });
  await api.stop(arn);
  const moving = await move(other);
  assert.deepEqual(
    [moving.Status, moving.ReplicationInstanceArn, moving.TargetReplicationInstanceArn],
    ["moving", api.instanceArn, other],
  );
  const moved = await api.describe(arn);
  assert.deepEqual([moved.Status, moved.ReplicationInstanceArn], ["stopped", other]);
  await postgres.query("insert into item values (2)", databases.source);
  // Nobody but another load would bring it back.
  await postgres.query("delete from item where id = 1", databases.target);
  await api.start(arn, "resume-processing");
  await api.untilRows(databases.target, 1);
  await api.stop(arn);
  assert.deepEqual(await postgres.query("select id from item", databases.target), [{ id: 2 }]);
  await api.remove(arn);
  for (const ReplicationInstanceArn of [other, older]) {
    await api.client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn }));
  }
});

test("what a task uses cannot be deleted, and a task at rest can be changed", async () => {
  const databases = await api.pair(0);
  const arn = await api.createTask(databases);
  await assert.rejects(
    api.client.send(
      new dms.ModifyEndpointCommand({ EndpointArn: databases.sourceArn, EndpointType: "target" }),
    ),
    { name: "InvalidResourceStateFault", message: /cannot become a target/ },
  );
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
  await modify({ CdcStopPosition: "FF/0" });
  assert.equal((await modify({ TableMappings: everything })).CdcStopPosition, "FF/0");
  assert.equal((await modify({ CdcStopPosition: "" })).CdcStopPosition, undefined);
  assert.equal(JSON.parse(task.ReplicationTaskSettings!).FullLoadSettings.MaxFullLoadSubTasks, 3);
  await api.remove(arn);
});
