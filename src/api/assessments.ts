import type {
  DescribeReplicationTaskAssessmentResultsMessage,
  DescribeReplicationTaskAssessmentResultsResponse,
  ReplicationTaskAssessmentResult,
  StartReplicationTaskAssessmentMessage,
  StartReplicationTaskAssessmentResponse,
} from "@aws-sdk/client-database-migration-service";
import { docsPlace, type Finding, ifIgnored } from "../core/finding.ts";
import { applicableAssessments } from "../task/individual-assessments.ts";
import type { AssessmentRunRecord, TaskRecord } from "../task/records.ts";
import { isUnderWay, newestOf } from "./assessment-run-shape.ts";
import { beginRun, pairOf, runName } from "./assessment-runs.ts";
import { invalidState, notFound } from "./faults.ts";
import { page } from "./paging.ts";
import { taskShape } from "./replication-task-shape.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { findTask, replicationTasks, tasksOf } from "./task-face.ts";

/*
 * The older way to assess a task, which AWS DMS has kept, and what an assessment found in Tideway's own words.
 */

/** What results that nobody asked for by a bucket are said to be in; nothing is written anywhere but into the store. */
export const BUCKET = "tideway";

/** A run of all individual assessments under a name of its own. The answer says `testing`, as AWS's does. */
export async function startReplicationTaskAssessment(
  { ReplicationTaskArn: arn }: Checked<StartReplicationTaskAssessmentMessage>,
  call: Call,
): Promise<StartReplicationTaskAssessmentResponse> {
  const task = await findTask(replicationTasks, arn, call);
  const pair = await pairOf(task, call);
  const names = applicableAssessments(pair);
  await beginRun(
    task,
    {
      ...{ name: runName("assessment"), names, serviceAccessRoleArn: "", resultLocationBucket: BUCKET },
      ...{ resultLocationFolder: undefined, resultEncryptionMode: undefined, resultKmsKeyArn: undefined },
    },
    { call, pair, tags: [] },
  );
  return { ReplicationTask: taskShape({ ...task, status: "testing" }, call) };
}

/** Of each task its last run that has come to an end; with the findings when one task is named. */
export async function describeReplicationTaskAssessmentResults(
  request: Checked<DescribeReplicationTaskAssessmentResultsMessage>,
  call: Call,
): Promise<DescribeReplicationTaskAssessmentResultsResponse> {
  const { ReplicationTaskArn: arn } = request;
  const tasks =
    arn === undefined ? await tasksOf(replicationTasks, call) : [await findTask(replicationTasks, arn, call)];
  const ended = (await call.store.list("assessment-run")).filter(
    (run) => !isUnderWay(run) && run.status !== "cancelling",
  );
  const found = tasks.flatMap((task) => {
    const run = newestOf(task.arn, ended);
    return run === undefined ? [] : [resultShape(task, run, arn !== undefined)];
  });
  if (arn !== undefined && found.length === 0)
    throw notFound(`Replication task ${arn} has not been assessed.`);
  const { items, marker } = page(found, request, { key: (one) => one.ReplicationTaskArn ?? "" });
  return { Marker: marker, BucketName: BUCKET, ReplicationTaskAssessmentResults: items };
}

function resultShape(
  { arn, identifier }: TaskRecord,
  run: AssessmentRunRecord,
  isWhole: boolean,
): ReplicationTaskAssessmentResult {
  const at = new Date(run.createdMs);
  const words = { passed: "No issues found", warning: "Warnings found", failed: "Issues found" } as const;
  const { status } = run;
  const isDone = status === "passed" || status === "warning" || status === "failed";
  return {
    ReplicationTaskIdentifier: identifier,
    ReplicationTaskArn: arn,
    ReplicationTaskLastAssessmentDate: at,
    AssessmentStatus: isDone ? words[status] : (run.failure ?? status),
    AssessmentResultsFile: `${identifier}/${at.toISOString().slice(0, 16).replace("T", "-").replace(":", "-")}`,
    AssessmentResults: isWhole ? JSON.stringify({ findings: findingsOf(run) }) : undefined,
  };
}

/** Tideway's own: what a run found, with what happens if it is passed over and what mends it. */
export async function describeAssessment({ Arn }: { readonly Arn: string }, call: Call): Promise<object> {
  const run = await call.store.get("assessment-run", Arn);
  if (run === undefined) throw notFound(`Assessment run not found: ${Arn}.`);
  if (isUnderWay(run)) throw invalidState(`Assessment run ${Arn} is still running.`);
  return { Arn, Status: run.status, Findings: findingsOf(run) };
}

function findingsOf({ results }: AssessmentRunRecord): readonly object[] {
  return results.flatMap(({ name, findings }) => findings.map((finding) => findingShape(name, finding)));
}

function findingShape(name: string, finding: Finding): object {
  const { code, severity, subject, message, remedy, fix } = finding;
  return {
    IndividualAssessmentName: name,
    ...{ Code: code, Severity: severity, Subject: subject, Message: message, Remedy: remedy },
    ...{ IfIgnored: ifIgnored(finding), Documentation: docsPlace(code) },
    ...(fix === undefined ? {} : { Fix: { Side: fix.side, Statements: fix.statements } }),
  };
}
