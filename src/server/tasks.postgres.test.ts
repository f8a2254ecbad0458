import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";
import { eventually, startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

let postgres: PostgresServer;
let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;
let instanceArn: string;

before(async () => {
  [postgres, tideway] = await Promise.all([startPostgres(), startTideway()]);
  client = await tideway.client();
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: "worker",
      ReplicationInstanceClass: "dms.t3.medium",
    }),
  );
  instanceArn = ReplicationInstance!.ReplicationInstanceArn!;
  await dms.waitUntilReplicationInstanceAvailable({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, {});
});
after(async () => {
  await tideway[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

let made = 0;

interface Pair {
  readonly source: string;
  readonly target: string;
  readonly sourceArn: string;
  readonly targetArn: string;
}

async function endpoint(
  type: "source" | "target",
  database: string,
  change: Partial<dms.CreateEndpointCommandInput> = {},
): Promise<string> {
  const { Endpoint } = await client.send(
    new dms.CreateEndpointCommand({
      EndpointIdentifier: `e${++made}`,
      EndpointType: type,
      EngineName: "postgres",
      ServerName: "127.0.0.1",
      Port: postgres.port,
      Username: "postgres",
      Password: postgres.password,
      DatabaseName: database,
      ...change,
    }),
  );
  return Endpoint!.EndpointArn!;
}

/** Two databases, a table with a key and rows on the source, and an endpoint for each. */
async function pair(rows: number): Promise<Pair> {
  const source = await postgres.createDatabase();
  const target = await postgres.createDatabase();
  await postgres.query(
    `create table item (id int primary key, name text);
     insert into item select n, 'name ' || n from generate_series(1, ${rows}) n`,
    source,
  );
  const sourceArn = await endpoint("source", source);
  return { source, target, sourceArn, targetArn: await endpoint("target", target) };
}

const everything = JSON.stringify({
  rules: [
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "public", "table-name": "%" },
      "rule-action": "include",
    },
  ],
});

async function createTask(
  databases: Pair,
  change: Partial<dms.CreateReplicationTaskCommandInput> = {},
): Promise<string> {
  const { ReplicationTask } = await client.send(
    new dms.CreateReplicationTaskCommand({
      ReplicationTaskIdentifier: `t${++made}`,
      SourceEndpointArn: databases.sourceArn,
      TargetEndpointArn: databases.targetArn,
      ReplicationInstanceArn: instanceArn,
      MigrationType: "full-load",
      TableMappings: everything,
      ...change,
    }),
  );
  const arn = ReplicationTask!.ReplicationTaskArn!;
  await inState(arn, "ready");
  return arn;
}

async function describe(arn: string): Promise<dms.ReplicationTask> {
  const { ReplicationTasks } = await client.send(
    new dms.DescribeReplicationTasksCommand({ Filters: [{ Name: "replication-task-arn", Values: [arn] }] }),
  );
  return ReplicationTasks![0]!;
}

/** Fails at once when the task has failed instead. */
function inState(arn: string, wanted: string): Promise<dms.ReplicationTask> {
  return eventually(`task to be ${wanted}`, async () => {
    const task = await describe(arn);
    if (task.Status === "failed" && wanted !== "failed") throw new Error(task.LastFailureMessage);
    return task.Status === wanted && task;
  });
}

async function start(
  arn: string,
  type: dms.StartReplicationTaskTypeValue = "start-replication",
): Promise<dms.ReplicationTask> {
  const command = new dms.StartReplicationTaskCommand({
    ReplicationTaskArn: arn,
    StartReplicationTaskType: type,
  });
  return (await client.send(command)).ReplicationTask!;
}

async function stop(arn: string): Promise<void> {
  await client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: arn }));
  await inState(arn, "stopped");
}

async function remove(arn: string): Promise<void> {
  await client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn }));
  await eventually("task to be gone", async () => {
    try {
      await describe(arn);
      return false;
    } catch (error) {
      return (error as Error).name === "ResourceNotFoundFault";
    }
  });
}

async function count(database: string): Promise<number> {
  try {
    const [row] = await postgres.query("select count(*)::int as n from item", database);
    return row.n;
  } catch {
    return -1;
  }
}

async function eventsOf(arn: string): Promise<string[]> {
  const { ReplicationTaskIdentifier } = await describe(arn);
  const { Events } = await client.send(
    new dms.DescribeEventsCommand({
      SourceType: "replication-task" as "replication-instance",
      SourceIdentifier: ReplicationTaskIdentifier,
    }),
  );
  return Events!.map((event) => /DMS-EVENT-(\d+)/.exec(event.Message!)![1]!);
}

test("a full load goes from ready to stopped and its statistics stay", async () => {
  const databases = await pair(1000);
  const arn = await createTask(databases, { ResourceIdentifier: "Full-Load-1" });
  assert.match(arn, /:task:Full-Load-1$/);
  assert.equal((await start(arn)).Status, "starting");
  const task = await inState(arn, "stopped");
  assert.equal(task.StopReason, "Stop Reason FULL_LOAD_ONLY_FINISHED");
  assert.equal(task.ReplicationTaskStats?.FullLoadProgressPercent, 100);
  assert.equal(task.ReplicationTaskStats?.TablesLoaded, 1);
  assert.ok(task.ReplicationTaskStats?.StopDate instanceof Date);
  const { TableStatistics } = await client.send(
    new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn }),
  );
  const [table] = TableStatistics!;
  assert.deepEqual(
    [table?.SchemaName, table?.TableName, table?.FullLoadRows, table?.TableState],
    ["public", "item", 1000, "Table completed"],
  );
  assert.equal(await count(databases.target), 1000);
  assert.deepEqual(await eventsOf(arn), ["0074", "0069", "0079"]);
  const settings = JSON.parse(task.ReplicationTaskSettings!);
  assert.equal(settings.FullLoadSettings.MaxFullLoadSubTasks, 8);
  assert.equal(task.TableMappings, everything);
});

test("the ways to start follow AWS's rules and texts", async () => {
  const databases = await pair(1);
  const arn = await createTask(databases);
  await assert.rejects(start(arn, "resume-processing"), { name: "InvalidParameterCombinationException" });
  await assert.rejects(start(arn, "again" as "reload-target"), { name: "ValidationException" });
  await start(arn);
  await inState(arn, "stopped");
  await assert.rejects(start(arn), {
    name: "InvalidParameterCombinationException",
    message: /Start Type : START_REPLICATION, valid only for tasks running for the first time/,
  });
  const first = await describe(arn);
  await postgres.query("insert into item values (2, 'new')", databases.source);
  await start(arn, "reload-target");
  const second = await inState(arn, "stopped");
  assert.equal(await count(databases.target), 2);
  const fresh = (task: dms.ReplicationTask): number => task.ReplicationTaskStats!.FreshStartDate!.getTime();
  assert.ok(fresh(second) > fresh(first));
  await assert.rejects(client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: arn })), {
    name: "InvalidResourceStateFault",
    message: /is currently not running/,
  });
  await assert.rejects(client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: "arn:none" })), {
    name: "ResourceNotFoundFault",
  });
});

test("tasks that cannot be are refused before anything is made", async () => {
  const databases = await pair(0);
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
    await assert.rejects(createTask(databases, change), { name, message }, JSON.stringify(change));
  }
  await createTask(databases, { ResourceIdentifier: "Same-Id", ReplicationTaskIdentifier: "twin" });
  for (const change of [{ ResourceIdentifier: "SAME-id" }, { ReplicationTaskIdentifier: "TWIN" }]) {
    await assert.rejects(createTask(databases, change), { name: "ResourceAlreadyExistsFault" });
  }
});

test("what a task uses cannot be deleted, and a task at rest can be changed", async () => {
  const databases = await pair(0);
  const arn = await createTask(databases);
  await assert.rejects(client.send(new dms.DeleteEndpointCommand({ EndpointArn: databases.sourceArn })), {
    name: "InvalidResourceStateFault",
    message: /part of one or more ReplicationTasks/,
  });
  const removeInstance = new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn: instanceArn });
  await assert.rejects(client.send(removeInstance), { name: "InvalidResourceStateFault" });
  const modify = async (
    change: Partial<dms.ModifyReplicationTaskCommandInput>,
  ): Promise<dms.ReplicationTask> =>
    (await client.send(new dms.ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, ...change })))
      .ReplicationTask!;
  await assert.rejects(modify({}), { message: /No modifications were requested on the task/ });
  await assert.rejects(modify({ TableMappings: "{}" }), { message: /^Error in mapping rules/ });
  const given = { FullLoadSettings: { MaxFullLoadSubTasks: 3 } };
  await modify({ MigrationType: "full-load-and-cdc", ReplicationTaskSettings: JSON.stringify(given) });
  const task = await inState(arn, "ready");
  assert.equal(task.MigrationType, "full-load-and-cdc");
  assert.equal(JSON.parse(task.ReplicationTaskSettings!).FullLoadSettings.MaxFullLoadSubTasks, 3);
  await remove(arn);
});

test("a killed worker and a restarted server lose nothing: a running task goes on", async () => {
  const databases = await pair(100);
  const arn = await createTask(databases, { MigrationType: "full-load-and-cdc" });
  await start(arn);
  await inState(arn, "running");
  await eventually("the full load", async () => (await count(databases.target)) === 100);
  await assert.rejects(client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn })), {
    name: "InvalidResourceStateFault",
  });
  await assert.rejects(
    client.send(new dms.ModifyEndpointCommand({ EndpointArn: databases.sourceArn, Port: 1 })),
    { name: "InvalidResourceStateFault" },
  );
  await assert.rejects(start(arn, "resume-processing"), { message: /invalid state/ });

  const pid = tideway.server.workerPid(instanceArn)!;
  process.kill(pid, "SIGKILL");
  await postgres.query("insert into item select n from generate_series(101, 200) n", databases.source);
  await eventually("the changes after the kill", async () => (await count(databases.target)) === 200);
  assert.notEqual(tideway.server.workerPid(instanceArn), pid);
  await inState(arn, "running");

  await tideway.stop();
  await postgres.query("insert into item select n from generate_series(201, 300) n", databases.source);
  await tideway.start();
  client = await tideway.client();
  await eventually("the changes after the restart", async () => (await count(databases.target)) === 300);
  const { TableStatistics } = await client.send(
    new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn }),
  );
  assert.equal(TableStatistics![0]?.FullLoadRows, 100);

  await stop(arn);
  const stopped = await describe(arn);
  assert.equal(stopped.StopReason, "Stop Reason NORMAL");
  assert.match(stopped.RecoveryCheckpoint ?? "", /^checkpoint:V1#1#[0-9A-F]+\/[0-9A-F]+#/);
  const slots = async (): Promise<number> =>
    (await postgres.query(`select from pg_replication_slots where database = '${databases.source}'`)).length;
  assert.equal(await slots(), 1);
  await remove(arn);
  assert.equal(await slots(), 0);
  assert.deepEqual(await postgres.query("select from pg_publication", databases.source), []);
});

test("a task whose start failed says why, and starts again with resume-processing once mended", async () => {
  const databases = await pair(10);
  const wrong = await endpoint("source", databases.source, { Password: "Wrong-Xyzzy" });
  const arn = await createTask({ ...databases, sourceArn: wrong });
  await start(arn);
  const failed = await inState(arn, "failed");
  assert.match(failed.LastFailureMessage ?? "", /^auth\.failed.+Correct the endpoint's user name/);
  assert.equal(failed.StopReason, "Stop Reason FATAL_ERROR");
  assert.deepEqual(await eventsOf(arn), ["0074", "0069", "0078"]);
  assert.equal(JSON.stringify(failed).includes("Wrong-Xyzzy"), false);
  await client.send(new dms.ModifyEndpointCommand({ EndpointArn: wrong, Password: postgres.password }));
  await start(arn, "resume-processing");
  const done = await inState(arn, "stopped");
  assert.equal(done.LastFailureMessage, undefined);
  assert.equal(await count(databases.target), 10);
});

test("a task is deleted although its source is out of reach, and an event says what is left", async () => {
  const databases = await pair(1);
  const arn = await createTask(databases, {
    MigrationType: "full-load-and-cdc",
    ResourceIdentifier: "Left-Behind",
  });
  await start(arn);
  await eventually("the full load", async () => (await count(databases.target)) === 1);
  await stop(arn);
  await client.send(new dms.ModifyEndpointCommand({ EndpointArn: databases.sourceArn, Port: 1 }));
  const { ReplicationTaskIdentifier } = await describe(arn);
  await remove(arn);
  const message = await eventually("the event", async () => {
    const { Events } = await client.send(new dms.DescribeEventsCommand({ EventCategories: ["failure"] }));
    const event = Events!.find((one) => one.SourceIdentifier === ReplicationTaskIdentifier);
    return event?.Message ?? false;
  });
  assert.match(message, /connect\.refused.+tideway_left_behind.+DMS-EVENT-0082/);
  await postgres.query("select pg_drop_replication_slot('tideway_left_behind')");
});

test("connections are tested from the instance, and schemas are read when asked to", async () => {
  const { sourceArn: EndpointArn, source } = await pair(0);
  await postgres.query('create schema "Odd Schema"', source);
  const both = { EndpointArn, ReplicationInstanceArn: instanceArn };
  const Filters = [{ Name: "endpoint-arn", Values: [EndpointArn] }];
  await assert.rejects(client.send(new dms.DescribeConnectionsCommand({ Filters })), {
    name: "ResourceNotFoundFault",
  });
  await assert.rejects(client.send(new dms.DescribeSchemasCommand({ EndpointArn })), {
    name: "InvalidResourceStateFault",
  });
  const { Connection } = await client.send(new dms.TestConnectionCommand(both));
  assert.equal(Connection?.Status, "testing");
  const tested = async (): Promise<dms.Connection> =>
    eventually("the test's end", async () => {
      const { Connections } = await client.send(new dms.DescribeConnectionsCommand({ Filters }));
      return Connections![0]?.Status !== "testing" && Connections![0];
    });
  assert.equal((await tested()).Status, "successful");

  await client.send(new dms.RefreshSchemasCommand(both));
  await eventually("the schemas", async () => {
    const { RefreshSchemasStatus } = await client.send(
      new dms.DescribeRefreshSchemasStatusCommand({ EndpointArn }),
    );
    return RefreshSchemasStatus?.Status === "successful";
  });
  const { Schemas } = await client.send(new dms.DescribeSchemasCommand({ EndpointArn }));
  assert.deepEqual(Schemas?.toSorted(), ["Odd Schema", "public"]);

  await client.send(new dms.ModifyEndpointCommand({ EndpointArn, DatabaseName: "none_such" }));
  await client.send(new dms.TestConnectionCommand(both));
  const failed = await tested();
  assert.equal(failed.Status, "failed");
  assert.match(failed.LastFailureMessage ?? "", /^auth\.unknown_database/);
  const { Connection: gone } = await client.send(new dms.DeleteConnectionCommand(both));
  assert.equal(gone?.Status, "deleting");
});

test("the load of single tables can be asked for again while a task runs", async () => {
  const databases = await pair(5);
  const arn = await createTask(databases, { MigrationType: "full-load-and-cdc" });
  const reload = (TableName: string): Promise<unknown> =>
    client.send(
      new dms.ReloadTablesCommand({
        ReplicationTaskArn: arn,
        TablesToReload: [{ SchemaName: "public", TableName }],
      }),
    );
  await assert.rejects(reload("item"), { name: "InvalidResourceStateFault" });
  await start(arn);
  await inState(arn, "running");
  await eventually("the first load", async () => (await count(databases.target)) === 5);
  await assert.rejects(reload("none"), {
    name: "InvalidParameterValueException",
    message: /no table public\.none/,
  });
  await postgres.query("delete from item where id = 1", databases.target);
  await reload("item");
  await eventually("the row that was missing", async () => (await count(databases.target)) === 5);
  const logging = { Logging: { LogComponents: [{ Id: "IO", Severity: "LOGGER_SEVERITY_DEBUG" }] } };
  const modify = (settings: object): Promise<unknown> =>
    client.send(
      new dms.ModifyReplicationTaskCommand({
        ReplicationTaskArn: arn,
        ReplicationTaskSettings: JSON.stringify(settings),
      }),
    );
  await modify(logging);
  await assert.rejects(modify({ FullLoadSettings: { CommitRate: 1 } }), {
    message: /excluding logging severity task settings, cannot be modified while it is running state/,
  });
  await stop(arn);
  await remove(arn);
});
