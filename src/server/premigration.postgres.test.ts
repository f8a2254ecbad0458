import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { eventually } from "../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";
import { everything, type Pair, TaskApi } from "../../test/support/task-api.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

/* Serverless replications that are assessed before they start. */

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

async function create(databases: Pair, ReplicationType: dms.MigrationTypeValue): Promise<string> {
  const command = new dms.CreateReplicationConfigCommand({
    ReplicationConfigIdentifier: api.name("r"),
    SourceEndpointArn: databases.sourceArn,
    TargetEndpointArn: databases.targetArn,
    ReplicationType,
    TableMappings: everything,
    ComputeConfig: { MaxCapacityUnits: 2 },
  });
  return (await api.client.send(command)).ReplicationConfig!.ReplicationConfigArn!;
}

async function start(
  arn: string,
  settings: object | string | undefined,
  StartReplicationType = "start-replication",
): Promise<dms.Replication> {
  const command = new dms.StartReplicationCommand({
    ...{ ReplicationConfigArn: arn, StartReplicationType },
    PremigrationAssessmentSettings: typeof settings === "object" ? JSON.stringify(settings) : settings,
  });
  return (await api.client.send(command)).Replication!;
}

async function describe(arn: string): Promise<dms.Replication> {
  const Filters = [{ Name: "replication-config-arn", Values: [arn] }];
  return (await api.client.send(new dms.DescribeReplicationsCommand({ Filters }))).Replications![0]!;
}

function inState(arn: string, wanted: string): Promise<dms.Replication> {
  return eventually(`replication to be ${wanted}`, async () => {
    const replication = await describe(arn);
    if (replication.Status === "failed" && wanted !== "failed")
      throw new Error(`${replication.FailureMessages}`);
    return replication.Status === wanted && replication;
  });
}

async function stop(arn: string): Promise<dms.Replication> {
  await api.client.send(new dms.StopReplicationCommand({ ReplicationConfigArn: arn }));
  return await inState(arn, "stopped");
}

function processGone(arn: string): Promise<unknown> {
  return eventually("its process to be gone", async () => tideway.server.workerPid(arn) === undefined);
}

/** With a table whose changes cannot be captured. */
async function withoutKey(): Promise<Pair> {
  const databases = await api.pair(20);
  await postgres.query("create table log (what text); insert into log values ('one')", databases.source);
  return databases;
}

function tablesOf({ target }: Pair): Promise<unknown[]> {
  return postgres.query("select tablename from pg_tables where schemaname = 'public'", target);
}

test("a replication whose assessment fails does not start; once that is mended, it does", async () => {
  const databases = await withoutKey();
  const arn = await create(databases, "full-load-and-cdc");
  const places = { ResultLocationBucket: "results", ResultLocationFolder: "shop" };
  const started = await start(arn, { ...places, ResultEncryptionMode: "SSE_S3" });
  const [running] = started.PremigrationAssessmentStatuses!;
  assert.deepEqual([running!.Status, running!.FailOnAssessmentFailure], ["running", true]);
  assert.equal(running!.AssessmentProgress!.IndividualAssessmentCompletedCount, 0);
  const failed = await inState(arn, "failed");
  assert.match(
    failed.FailureMessages![0]!,
    /^task\.premigration_failed .*The premigration assessment has failed by [a-z-]+.*source\.no_key \(public\.log\)/,
  );
  assert.equal(failed.StopReason, "Stop Reason FATAL_ERROR");
  const [status, ...others] = failed.PremigrationAssessmentStatuses!;
  assert.deepEqual(others, []);
  assert.equal(status!.Status, "failed");
  assert.match(status!.LastFailureMessage!, /^source\.no_key \(public\.log\): The table public\.log has no/);
  assert.deepEqual(
    [status!.ResultLocationBucket, status!.ResultLocationFolder, status!.ResultEncryptionMode],
    ["results", "shop", "SSE_S3"],
  );
  assert.ok(status!.ResultStatistic!.Failed! >= 1);
  assert.ok(status!.ResultStatistic!.Passed! > 1);
  await processGone(arn);
  assert.deepEqual(await tablesOf(databases), []);
  const slots = `select from pg_replication_slots where database = '${databases.source}'`;
  assert.deepEqual(await postgres.query(slots), []);
  await postgres.query("alter table log add primary key (what)", databases.source);
  await start(arn, {}, "resume-processing");
  const now = await inState(arn, "running");
  const states = now.PremigrationAssessmentStatuses!.map(({ Status }) => Status);
  assert.equal(states.length, 2);
  assert.match(states[0]!, /^(passed|warning)$/);
  assert.equal(states[1], "failed");
  await eventually(
    "all rows to be there",
    async () => (await describe(arn)).ReplicationStats!.TablesLoaded === 2,
  );
  assert.equal(await api.count(databases.target), 20);
  await stop(arn);
  await processGone(arn);
});

test("with FailOnAssessmentFailure false, or where others alone are asked for, the start goes on as any does", async () => {
  for (const settings of [
    { FailOnAssessmentFailure: false },
    { IncludeOnly: ["postgres-check-maxwalsenders"] },
    { Exclude: "postgres-check-pk table-with-no-primary-key-or-unique-constraint" },
  ]) {
    const databases = await withoutKey();
    const arn = await create(databases, "full-load-and-cdc");
    await start(arn, settings);
    const now = await inState(arn, "running");
    const [status] = now.PremigrationAssessmentStatuses!;
    const isRefusing = "FailOnAssessmentFailure" in settings;
    assert.equal(status!.FailOnAssessmentFailure, !isRefusing);
    assert.equal(status!.Status === "failed", isRefusing, JSON.stringify(status));
    await eventually(
      "the rows to be there",
      async () => (await describe(arn)).ReplicationStats!.TablesLoaded === 1,
    );
    assert.equal((await describe(arn)).ReplicationStats!.TablesErrored, 1);
    await stop(arn);
  }
});

test("a server that has stored such a start before it ended has it assessed again by the next one", async () => {
  const databases = await api.pair(7);
  const arn = await create(databases, "full-load");
  await start(arn, {});
  await tideway.stop();
  await tideway.start();
  api.client = await tideway.client();
  const done = await inState(arn, "stopped");
  assert.equal(done.StopReason, "Stop Reason FULL_LOAD_ONLY_FINISHED");
  assert.equal(done.PremigrationAssessmentStatuses!.length, 1);
  assert.match(done.PremigrationAssessmentStatuses![0]!.Status!, /^(passed|warning)$/);
  assert.equal(await api.count(databases.target), 7);
  // One without asks for none.
  await start(arn, undefined, "reload-target");
  assert.equal((await inState(arn, "stopped")).PremigrationAssessmentStatuses!.length, 1);
});

test("a start that is stopped while it is assessed stays stopped, and its run is cancelled", async () => {
  // It takes connections and never says a word.
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const opened = once(silent, "connection");
  const databases = await api.pair(1);
  const { port } = silent.address() as AddressInfo;
  const sourceArn = await api.endpoint("source", databases.source, { Port: port });
  const arn = await create({ ...databases, sourceArn }, "full-load");
  await start(arn, {});
  const [socket] = await opened;
  const { Status } = await describe(arn);
  assert.equal(Status, "fetching_metadata");
  const stopped = await stop(arn);
  assert.deepEqual(
    stopped.PremigrationAssessmentStatuses!.map((one) => one.Status),
    ["cancelling"],
  );
  await processGone(arn);
  assert.equal((await describe(arn)).Status, "stopped");
  socket.destroy();
  silent.close();
});

test("settings that cannot be are refused, and nothing is started or kept of them", async () => {
  const arn = await create(await api.pair(1), "full-load");
  const refusals: readonly (readonly [settings: object | string, message: RegExp])[] = [
    ["{", /PremigrationAssessmentSettings is no JSON: line 1 column 2/],
    ["[]", /must be a JSON object/],
    [{ ResultLocationFinder: "x" }, /ResultLocationFinder is not known/],
    [{ ResultLocationBucket: 1 }, /ResultLocationBucket must be a text/],
    [{ ResultKmsKeyArn: null }, /ResultKmsKeyArn must be a text/],
    [{ ResultEncryptionMode: "none" }, /ResultEncryptionMode must be SSE_S3 or SSE_KMS/],
    [{ FailOnAssessmentFailure: "false" }, /FailOnAssessmentFailure must be true or false/],
    [{ IncludeOnly: [1] }, /IncludeOnly must be a list of names/],
    [{ IncludeOnly: ["no-such-check"] }, /do not apply to the task: no-such-check/],
    [{ IncludeOnly: ["a"], Exclude: ["b"] }, /exclude each other/],
  ];
  for (const [settings, message] of refusals) {
    await assert.rejects(start(arn, settings), { message }, JSON.stringify(settings));
  }
  await assert.rejects(start(arn, {}, "reload-target"), /not valid for tasks running for the first time/);
  const left = await describe(arn);
  assert.deepEqual([left.Status, left.PremigrationAssessmentStatuses], ["created", undefined]);
});
