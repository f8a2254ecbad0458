import assert from "node:assert/strict";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import type { Pair } from "../../test/support/task-api.ts";
import { taskService } from "../../test/support/task-service.ts";
import { assertHolds, assertSameJson, reaches, sameSettings } from "../../test/support/terraform.ts";

/*
 * The calls of Terraform's provider for resources that move rows: create, read, plan again, change, remove.
 */

const { postgres, api } = await taskService();
const { client } = api;

/** As people write them: settings that act, that do not, that nobody knows, and nulls of every kind. */
const SETTINGS = `{
  "TargetMetadata": {"TargetSchema": "", "SupportLobs": true, "LobMaxSize": 64, "BatchApplyEnabled": true, "Unknown": null},
  "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING", "MaxFullLoadSubTasks": 4, "CommitRate": 20000},
  "TTSettings": {"EnableTT": false, "TTS3Settings": null, "TTRecordSettings": null},
  "Logging": {"EnableLogging": true, "EnableLogContext": true, "LogComponents": [
    {"Id": "SOURCE_CAPTURE", "Severity": "LOGGER_SEVERITY_DEBUG"},
    {"Id": "COMPONENT_OF_TOMORROW", "Severity": "LOGGER_SEVERITY_DEFAULT"}]},
  "ControlTablesSettings": {"historyTimeslotInMinutes": 5, "ControlSchema": ""},
  "ErrorBehavior": {"RecoverableErrorCount": 3, "EventErrorPolicy": null},
  "ChangeProcessingTuning": null,
  "CharacterSetSettings": null,
  "LoopbackPreventionSettings": null,
  "FailTaskWhenCleanTaskResourceFailed": false,
  "SectionOfTomorrow": {"B": {"C": null, "D": 1.5}, "E": "x"}
}`;

const MAPPINGS = `{"rules":[
  {"rule-type":"selection","rule-id":"1","rule-name":"all","object-locator":{"schema-name":"public","table-name":"%"},
   "rule-action":"include","filters":[]}]}`;

async function task(id: string): Promise<dms.ReplicationTask | undefined> {
  const Filters = [{ Name: "replication-task-id", Values: [id] }];
  return (await client.send(new dms.DescribeReplicationTasksCommand({ Filters }))).ReplicationTasks?.[0];
}

/** Every start of the provider: what kind it is follows from the status. */
async function startTask(id: string): Promise<void> {
  const { Status, ReplicationTaskArn } = (await task(id))!;
  const StartReplicationTaskType = Status === "ready" ? "start-replication" : "resume-processing";
  await client.send(new dms.StartReplicationTaskCommand({ ReplicationTaskArn, StartReplicationTaskType }));
  await reaches({ pending: ["starting"], target: ["running"] }, async () => (await task(id))?.Status);
}

async function stopTask(id: string): Promise<void> {
  const { ReplicationTaskArn } = (await task(id))!;
  await client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn }));
  const pending = ["stopping", "running"];
  await reaches({ pending, target: ["stopped"] }, async () => (await task(id))?.Status);
}

test("aws_dms_replication_task, with its start, its changes, its move and an endpoint that pauses it", async () => {
  const databases = await api.pair(5);
  const id = "Terraform-Task";
  const created = {
    ReplicationTaskIdentifier: id,
    MigrationType: "full-load-and-cdc",
    ReplicationInstanceArn: api.instanceArn,
    SourceEndpointArn: databases.sourceArn,
    TargetEndpointArn: databases.targetArn,
  } as const;
  const Tags = [{ Key: "team", Value: "data" }];
  await client.send(
    new dms.CreateReplicationTaskCommand({
      ...created,
      TableMappings: MAPPINGS,
      ReplicationTaskSettings: SETTINGS,
      Tags,
    }),
  );
  const status = async (): Promise<string | undefined> => (await task(id))?.Status;
  await reaches({ pending: ["creating"], target: ["ready"] }, status);
  const plansAgain = async (settings: string, mappings: string): Promise<dms.ReplicationTask> => {
    const shown = (await task(id))!;
    assert.ok(sameSettings(shown.ReplicationTaskSettings!, settings), shown.ReplicationTaskSettings);
    assertSameJson(shown.TableMappings, mappings);
    return shown;
  };
  const ResourceArn = (await plansAgain(SETTINGS, MAPPINGS)).ReplicationTaskArn!;
  assertHolds(await task(id), created);
  assert.deepEqual((await client.send(new dms.ListTagsForResourceCommand({ ResourceArn }))).TagList, Tags);
  await startTask(id);
  await api.untilRows(databases.target, 5);
  await plansAgain(SETTINGS, MAPPINGS);

  await stopTask(id);
  const settings = SETTINGS.replace('"LobMaxSize": 64', '"LobMaxSize": 128')
    .replace('"EnableLogging": true', '"EnableLogging": false')
    .replace('"EnableLogContext": true', '"EnableLogContext": false');
  const mappings = MAPPINGS.replace('"filters":[]', '"filters":[],"load-order":"1"').replace(
    '"rule-action"',
    '\n"rule-action"',
  );
  await client.send(
    new dms.ModifyReplicationTaskCommand({
      ReplicationTaskArn: ResourceArn,
      MigrationType: "full-load-and-cdc",
      TableMappings: mappings,
      ReplicationTaskSettings: settings,
    }),
  );
  const resting = ["ready", "stopped", "failed"];
  await reaches({ pending: ["modifying"], target: resting }, status);
  await plansAgain(settings, mappings);
  await startTask(id);

  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: "second",
      ReplicationInstanceClass: "dms.t3.small",
    }),
  );
  await dms.waitUntilReplicationInstanceAvailable(waiting(client), {});
  await stopTask(id);
  const TargetReplicationInstanceArn = ReplicationInstance!.ReplicationInstanceArn!;
  await client.send(
    new dms.MoveReplicationTaskCommand({ ReplicationTaskArn: ResourceArn, TargetReplicationInstanceArn }),
  );
  await reaches({ pending: ["modifying", "moving"], target: resting }, status);
  assert.equal((await task(id))?.ReplicationInstanceArn, TargetReplicationInstanceArn);
  await startTask(id);
  await pausesTasks(databases.sourceArn, id);
  await postgres.query("insert into item values (6)", databases.source);
  await api.untilRows(databases.target, 6);

  await stopTask(id);
  await client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: ResourceArn }));
  await reaches({ pending: ["deleting"], target: [] }, status);
});

/** A change of an endpoint with `pause_replication_tasks`. */
async function pausesTasks(EndpointArn: string, id: string): Promise<void> {
  const Filters = [{ Name: "endpoint-arn", Values: [EndpointArn] }];
  const { ReplicationTasks } = await client.send(new dms.DescribeReplicationTasksCommand({ Filters }));
  assert.deepEqual(
    ReplicationTasks!.map(({ Status }) => Status),
    ["running"],
  );
  await stopTask(id);
  const ExtraConnectionAttributes = "executeTimeout=99";
  await client.send(new dms.ModifyEndpointCommand({ EndpointArn, ExtraConnectionAttributes }));
  const { ReplicationInstanceArn } = ReplicationTasks![0]!;
  await client.send(new dms.TestConnectionCommand({ EndpointArn, ReplicationInstanceArn }));
  const tested = async (): Promise<string | undefined> =>
    (await client.send(new dms.DescribeConnectionsCommand({ Filters }))).Connections?.[0]?.Status;
  await reaches({ pending: ["testing"], target: ["successful"] }, tested);
  await startTask(id);
}

async function replication(arn: string): Promise<dms.Replication | undefined> {
  const Filters = [{ Name: "replication-config-arn", Values: [arn] }];
  return (await client.send(new dms.DescribeReplicationsCommand({ Filters }))).Replications?.[0];
}

async function startReplication(arn: string): Promise<void> {
  const { Status } = (await replication(arn))!;
  if (Status === "running") return;
  const StartReplicationType = Status === "ready" ? "creating" : "resume-processing";
  await client.send(new dms.StartReplicationCommand({ ReplicationConfigArn: arn, StartReplicationType }));
  const preparing = ["preparing_metadata_resources", "testing_connection", "fetching_metadata"];
  const pending = [
    ...["ready", "initializing", ...preparing, "calculating_capacity"],
    ...["provisioning_capacity", "replication_starting"],
  ];
  await reaches({ pending, target: ["running", "stopped"] }, async () => (await replication(arn))?.Status);
}

async function stopReplication(arn: string): Promise<void> {
  const { Status = "" } = (await replication(arn))!;
  if (["stopped", "created", "failed"].includes(Status)) return;
  await client.send(new dms.StopReplicationCommand({ ReplicationConfigArn: arn }));
  const pending = ["stopping", "running"];
  await reaches({ pending, target: ["stopped"] }, async () => (await replication(arn))?.Status);
}

async function createConfig(databases: Pair, identifier: string): Promise<string> {
  const { ReplicationConfig } = await client.send(
    new dms.CreateReplicationConfigCommand({
      ReplicationConfigIdentifier: identifier,
      ReplicationType: "full-load-and-cdc",
      SourceEndpointArn: databases.sourceArn,
      TargetEndpointArn: databases.targetArn,
      TableMappings: MAPPINGS,
      ReplicationSettings: SETTINGS,
      ComputeConfig: COMPUTE,
      Tags: [{ Key: "team", Value: "data" }],
    }),
  );
  return ReplicationConfig!.ReplicationConfigArn!;
}

const COMPUTE = {
  ReplicationSubnetGroupId: "default",
  MaxCapacityUnits: 4,
  MinCapacityUnits: 2,
  MultiAZ: false,
  DnsNameServers: "10.0.0.2",
  PreferredMaintenanceWindow: "sun:23:45-mon:00:30",
  VpcSecurityGroupIds: ["sg-1", "sg-2"],
};

async function removeConfig(arn: string): Promise<void> {
  await stopReplication(arn);
  await client.send(new dms.DeleteReplicationConfigCommand({ ReplicationConfigArn: arn }));
  const pending = ["deleting", "stopped"];
  await reaches({ pending, target: [] }, async () => (await replication(arn))?.Status);
}

test("aws_dms_replication_config, with its start and its changes", async () => {
  const databases = await api.pair(5);
  const arn = await createConfig(databases, "Terraform-Config");
  const read = async (): Promise<dms.ReplicationConfig> => {
    const Filters = [{ Name: "replication-config-arn", Values: [arn] }];
    const command = new dms.DescribeReplicationConfigsCommand({ Filters });
    return (await client.send(command)).ReplicationConfigs![0]!;
  };
  await startReplication(arn);
  const shown = await read();
  assert.deepEqual(shown.ComputeConfig, COMPUTE);
  assert.ok(sameSettings(shown.ReplicationSettings!, SETTINGS));
  assertSameJson(shown.TableMappings, MAPPINGS);
  assert.equal(shown.SupplementalSettings, undefined);
  const { TagList } = await client.send(new dms.ListTagsForResourceCommand({ ResourceArn: arn }));
  assert.deepEqual(TagList, [{ Key: "team", Value: "data" }]);
  await stopReplication(arn);
  const ComputeConfig = { ...COMPUTE, MaxCapacityUnits: 8, MultiAZ: true };
  const settings = SETTINGS.replace('"MaxFullLoadSubTasks": 4', '"MaxFullLoadSubTasks": 2');
  await client.send(
    new dms.ModifyReplicationConfigCommand({
      ReplicationConfigArn: arn,
      ComputeConfig,
      ReplicationSettings: settings,
    }),
  );
  // Without a wait: the provider starts it at once.
  await startReplication(arn);
  const changed = await read();
  assert.deepEqual(changed.ComputeConfig, ComputeConfig);
  assert.ok(sameSettings(changed.ReplicationSettings!, settings));
  await api.untilRows(databases.target, 5);
  await removeConfig(arn);
});

test("aws_dms_replication_config that was never started is removed without a stop", async () => {
  await removeConfig(await createConfig(await api.pair(0), "Terraform-Idle"));
});

test("what Terraform compares settings by sees each kind of difference", () => {
  assert.ok(sameSettings('{"A":{"B":1,"C":null},"D":2}', '{"A":{"C":null}}'));
  for (const written of ['{"A":{"E":null}}', '{"A":{"B":"1"}}', '{"A":{"C":1}}', '{"F":{}}', '{"A":[]}']) {
    assert.equal(sameSettings('{"A":{"B":1,"C":null},"D":2}', written), false, written);
  }
});
