import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { eventually } from "../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";
import { TaskApi } from "../../test/support/task-api.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";
import { askOwn } from "../cli/own-operation.ts";

let postgres: PostgresServer;
let tideway: TidewayServer;
let api: TaskApi;
let source: string;
let task: string;

before(async () => {
  [postgres, tideway] = await Promise.all([startPostgres(), startTideway()]);
  api = await TaskApi.start(postgres, tideway);
  const databases = await api.pair(1);
  source = databases.source;
  await postgres.query("create table log (what text)", source);
  task = await api.createTask(databases, { MigrationType: "full-load-and-cdc" });
});
after(async () => {
  await tideway?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

type StartRun = Partial<dms.StartReplicationTaskAssessmentRunCommandInput>;

async function start(name: string, change: StartRun = {}): Promise<dms.ReplicationTaskAssessmentRun> {
  const command = new dms.StartReplicationTaskAssessmentRunCommand({
    ...{ ReplicationTaskArn: task, AssessmentRunName: name },
    ...{ ServiceAccessRoleArn: "arn:aws:iam::123456789012:role/r", ResultLocationBucket: "bucket" },
    ...change,
  });
  return (await api.client.send(command)).ReplicationTaskAssessmentRun!;
}

async function runs(name: string, value: string): Promise<readonly dms.ReplicationTaskAssessmentRun[]> {
  const command = new dms.DescribeReplicationTaskAssessmentRunsCommand({
    Filters: [{ Name: name, Values: [value] }],
  });
  return (await api.client.send(command)).ReplicationTaskAssessmentRuns!;
}

function ended(arn: string): Promise<dms.ReplicationTaskAssessmentRun> {
  return eventually("the assessment's end", async () => {
    const [run] = await runs("replication-task-assessment-run-arn", arn);
    return run!.Status !== "running" && run;
  });
}

/** Names of a run's individual assessments by their status. */
async function individual(arn: string, status: string): Promise<readonly string[]> {
  const command = new dms.DescribeReplicationTaskIndividualAssessmentsCommand({
    Filters: [
      { Name: "replication-task-assessment-run-arn", Values: [arn] },
      { Name: "status", Values: [status] },
    ],
  });
  const { ReplicationTaskIndividualAssessments: found } = await api.client.send(command);
  return found!.map(({ IndividualAssessmentName: name }) => name!);
}

interface ToldFinding {
  readonly Code: string;
  readonly IfIgnored: string;
  readonly Fix?: { readonly Side: string; readonly Statements: readonly string[] };
}

test("a run fails by what a task would meet, tells what mends it, and passes when that was run", async () => {
  const command = new dms.DescribeApplicableIndividualAssessmentsCommand({ ReplicationTaskArn: task });
  const { IndividualAssessmentNames: names } = await api.client.send(command);
  const both = await Promise.allSettled(
    ["first", "beside"].map((name) => start(name, { ResultLocationFolder: "folder" })),
  );
  const [begun, ...others] = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  assert.deepEqual([begun!.Status, begun!.ResultLocationFolder, others], ["running", "folder", []]);
  const refused = both.find((one) => one.status === "rejected");
  assert.equal(refused?.reason.name, "InvalidResourceStateFault");
  const arn = begun!.ReplicationTaskAssessmentRunArn!;
  const run = await ended(arn);
  assert.deepEqual([run.Status, run.IsLatestTaskAssessmentRun], ["failed", true]);
  assert.equal(run.AssessmentProgress?.IndividualAssessmentCompletedCount, names!.length);
  const about = ["postgres-check-pk", "table-with-no-primary-key-or-unique-constraint"];
  assert.deepEqual((await individual(arn, "failed")).toSorted(), about);
  assert.equal(run.ResultStatistic?.Failed, about.length);
  const { Findings } = await askOwn<{ Findings: readonly ToldFinding[] }>(
    api.client,
    "TidewayDescribeAssessment",
    { Arn: arn },
  );
  const finding = Findings.find(({ Code }) => Code === "source.no_key");
  assert.equal(finding?.IfIgnored, "The table is set aside; the others are moved without it.");
  for (const statement of finding!.Fix!.Statements) await postgres.query(statement, source);

  const again = await start("second", { Exclude: ["postgres-check-pk-validity"] });
  const second = await ended(again.ReplicationTaskAssessmentRunArn!);
  const { Passed, Skipped } = second.ResultStatistic!;
  assert.deepEqual([second.Status, Passed! + Skipped!], ["passed", names!.length - 1]);
  assert.equal((await individual(again.ReplicationTaskAssessmentRunArn!, "skipped")).length, Skipped);
  assert.deepEqual(await runs("status", "failed"), [{ ...run, IsLatestTaskAssessmentRun: false }]);
  await api.client.send(
    new dms.DeleteReplicationTaskAssessmentRunCommand({ ReplicationTaskAssessmentRunArn: arn }),
  );
  await assert.rejects(ended(arn), { name: "ResourceNotFoundFault" });
});

test("what makes no sense is refused, and a run's end is not undone", async () => {
  const wrong: readonly (readonly [StartRun, string])[] = [
    [{ AssessmentRunName: "second" }, "ResourceAlreadyExistsFault"],
    [{ IncludeOnly: ["postgres-check-pk"], Exclude: [] }, "InvalidParameterCombinationException"],
    [{ IncludeOnly: ["mysql-check-binlog-format"] }, "InvalidParameterValueException"],
    [{ IncludeOnly: [] }, "InvalidParameterCombinationException"],
    [{ ResultEncryptionMode: "none" }, "ValidationException"],
    [{ ReplicationTaskArn: `${task}X` }, "ResourceNotFoundFault"],
  ];
  for (const [change, name] of wrong) await assert.rejects(start("wrong", change), { name });
  const [second] = await runs("replication-task-arn", task);
  const ReplicationTaskAssessmentRunArn = second!.ReplicationTaskAssessmentRunArn!;
  const cancel = new dms.CancelReplicationTaskAssessmentRunCommand({ ReplicationTaskAssessmentRunArn });
  await assert.rejects(api.client.send(cancel), { name: "InvalidResourceStateFault" });
  await assert.rejects(
    api.client.send(new dms.DescribeApplicableIndividualAssessmentsCommand({ SourceEngineName: "postgres" })),
    { name: "InvalidParameterCombinationException" },
  );
});

test("a run that is cancelled stays so, and the older way to assess leaves results that can be read", async () => {
  const { ReplicationTaskAssessmentRunArn } = await start("cancelled");
  const cancel = new dms.CancelReplicationTaskAssessmentRunCommand({ ReplicationTaskAssessmentRunArn });
  const { ReplicationTaskAssessmentRun: cancelled } = await api.client.send(cancel);
  assert.equal(cancelled!.Status, "cancelling");
  const results = async (): Promise<dms.ReplicationTaskAssessmentResult> => {
    const command = new dms.DescribeReplicationTaskAssessmentResultsCommand({ ReplicationTaskArn: task });
    return (await api.client.send(command)).ReplicationTaskAssessmentResults![0]!;
  };
  const before = await results();
  assert.equal(before.AssessmentStatus, "No issues found");
  const { ReplicationTask } = await api.client.send(
    new dms.StartReplicationTaskAssessmentCommand({ ReplicationTaskArn: task }),
  );
  assert.equal(ReplicationTask!.Status, "testing");
  const after = await eventually("the results", async () => {
    const result = await results();
    return +result.ReplicationTaskLastAssessmentDate! > +before.ReplicationTaskLastAssessmentDate! && result;
  });
  const { findings } = JSON.parse(after.AssessmentResults!) as { findings: { Severity: string }[] };
  assert.ok(findings.length > 0 && findings.every(({ Severity }) => Severity === "info"));
  // The worker answers in order: it has answered the one that was cancelled, too.
  assert.equal((await ended(ReplicationTaskAssessmentRunArn!)).Status, "cancelling");

  await api.client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: task }));
  await eventually("the task's end", async () => {
    const { ReplicationTaskAssessmentRuns } = await api.client.send(
      new dms.DescribeReplicationTaskAssessmentRunsCommand({}),
    );
    return ReplicationTaskAssessmentRuns!.length === 0;
  });
});
