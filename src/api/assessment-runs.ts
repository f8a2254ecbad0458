import type * as dms from "@aws-sdk/client-database-migration-service";
import {
  type AssessedPair,
  applicableAssessments,
  individualResults,
  runStatus,
} from "../task/individual-assessments.ts";
import type { AssessmentRunRecord, TaskRecord } from "../task/records.ts";
import { isActive } from "../task/state.ts";
import { failureText } from "../task/task-ledger.ts";
import { makeArn, newResourceId } from "./arn.ts";
import { individualShape, isUnderWay, runShape } from "./assessment-run-shape.ts";
import { findEndpoint } from "./endpoints.ts";
import { alreadyExists, invalidCombination, invalidState, invalidValue, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import { usableInstance } from "./replication-instances.ts";
import { type Call, inBackground } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";
import { findTask, replicationTasks } from "./task-face.ts";

/** Starts an assessment in the instance's worker; its end is seen with DescribeReplicationTaskAssessmentRuns. */
export async function startReplicationTaskAssessmentRun(
  request: Checked<dms.StartReplicationTaskAssessmentRunMessage>,
  call: Call,
): Promise<dms.StartReplicationTaskAssessmentRunResponse> {
  checkEnum("ResultEncryptionMode", request.ResultEncryptionMode, ["SSE_S3", "SSE_KMS"]);
  const tags = checkTags(request.Tags);
  const task = await findTask(replicationTasks, request.ReplicationTaskArn, call);
  const pair = await pairOf(task, call);
  const record = await beginRun(
    task,
    {
      name: request.AssessmentRunName,
      names: chosen(applicableAssessments(pair), request),
      serviceAccessRoleArn: request.ServiceAccessRoleArn,
      resultLocationBucket: request.ResultLocationBucket,
      resultLocationFolder: request.ResultLocationFolder,
      resultEncryptionMode: request.ResultEncryptionMode,
      resultKmsKeyArn: request.ResultKmsKeyArn,
    },
    { call, pair, tags },
  );
  return { ReplicationTaskAssessmentRun: runShape(record, [record]) };
}

export type RunWishes = Pick<
  AssessmentRunRecord,
  | "names"
  | "serviceAccessRoleArn"
  | "resultLocationBucket"
  | "resultLocationFolder"
  | "resultEncryptionMode"
  | "resultKmsKeyArn"
  | "failsStart"
> & { readonly name: string };

interface BeginningRun {
  readonly call: Call;
  /** What the task moves between. */
  readonly pair: AssessedPair;
  readonly tags: ReturnType<typeof checkTags>;
}

/** Stores a run and has the worker begin it. Requests that change something take turns, so that no other begins between. */
export async function beginRun(
  task: TaskRecord,
  wishes: RunWishes,
  { call, pair, tags }: BeginningRun,
): Promise<AssessmentRunRecord> {
  await usableInstance(task.instanceArn, call);
  if (isActive(task.status)) {
    throw invalidState(`Replication task ${task.arn} is ${task.status}. Stop it before it is assessed.`);
  }
  const runs = await call.store.list("assessment-run");
  if (runs.some((run) => run.taskArn === task.arn && isUnderWay(run))) {
    throw invalidState(`Replication task ${task.arn} is being assessed already.`);
  }
  const record = await storeRun(task, wishes, { call, tags });
  inBackground(call, async () => {
    await carryOut(record, { task, pair }, call);
  });
  return record;
}

/** Stores a run that is to be carried out. */
export async function storeRun(
  task: TaskRecord,
  { name, ...wishes }: RunWishes,
  { call, tags }: Omit<BeginningRun, "pair">,
): Promise<AssessmentRunRecord> {
  const record: AssessmentRunRecord = {
    arn: makeArn(call, "assessment-run", newResourceId(undefined)),
    identifier: `${task.arn} ${name}`,
    createdMs: Date.now(),
    ...{ name, taskArn: task.arn, instanceArn: task.instanceArn, status: "running", results: [] },
    ...wishes,
  };
  if (!(await call.store.insert("assessment-run", record, { tags }))) {
    throw alreadyExists(`Replication task ${task.arn} has an assessment run named ${name} already.`);
  }
  return record;
}

interface AssessedTask {
  readonly task: TaskRecord;
  readonly pair: AssessedPair;
}

/**
 * Has the task's worker carry out a run that is stored; resolves with the run as it has ended, undefined when there is none any
 * more, or the server ends before it has.
 */
export async function carryOut(
  { arn }: AssessmentRunRecord,
  { task, pair }: AssessedTask,
  { store, supervisor }: Pick<Call, "store" | "supervisor">,
): Promise<AssessmentRunRecord | undefined> {
  const answer = await supervisor.assess(task);
  if (supervisor.isClosing) return undefined;
  const end = (run: AssessmentRunRecord): AssessmentRunRecord => {
    if (!isUnderWay(run)) return run;
    if (!answer.ok) return { ...run, status: "error-executing", failure: failureText(answer.error) };
    const results = individualResults(pair, answer.assessment?.findings ?? [], run.names);
    return { ...run, status: runStatus(results), results };
  };
  supervisor.ledger.inOrder(arn, () => store.update("assessment-run", arn, end));
  const run = await store.get("assessment-run", arn);
  return run && end(run);
}

/** A name that no other run of the task has, for one that nobody has named. */
export function runName(kind: string): string {
  return `${kind}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
}

export async function cancelReplicationTaskAssessmentRun(
  { ReplicationTaskAssessmentRunArn: arn }: Checked<dms.CancelReplicationTaskAssessmentRunMessage>,
  call: Call,
): Promise<dms.CancelReplicationTaskAssessmentRunResponse> {
  const record = await call.store.update("assessment-run", arn, (run) => {
    if (!isUnderWay(run))
      throw invalidState(`Assessment run ${arn} is ${run.status} and cannot be cancelled.`);
    return { ...run, status: "cancelling" };
  });
  if (record === undefined) throw missing(arn);
  return { ReplicationTaskAssessmentRun: runShape(record, await runsOf(record.taskArn, call)) };
}

export async function deleteReplicationTaskAssessmentRun(
  { ReplicationTaskAssessmentRunArn: arn }: Checked<dms.DeleteReplicationTaskAssessmentRunMessage>,
  call: Call,
): Promise<dms.DeleteReplicationTaskAssessmentRunResponse> {
  const record = await call.store.get("assessment-run", arn);
  if (record === undefined) throw missing(arn);
  if (isUnderWay(record)) throw invalidState(`Assessment run ${arn} is running. Cancel it first.`);
  const runs = await runsOf(record.taskArn, call);
  await call.store.remove("assessment-run", arn);
  return { ReplicationTaskAssessmentRun: { ...runShape(record, runs), Status: "deleting" } };
}

export async function describeReplicationTaskAssessmentRuns(
  request: Checked<dms.DescribeReplicationTaskAssessmentRunsMessage>,
  call: Call,
): Promise<dms.DescribeReplicationTaskAssessmentRunsResponse> {
  const all = await call.store.list("assessment-run");
  const found = filteredOrNotFound(all, request.Filters, {
    what: "Assessment Runs",
    names: {
      "replication-task-assessment-run-arn": (run) => run.arn,
      "replication-task-arn": (run) => run.taskArn,
      "replication-instance-arn": (run) => run.instanceArn,
      status: (run) => run.status,
    },
  });
  const { items, marker } = page(found, request, { key: ({ arn }) => arn });
  return { Marker: marker, ReplicationTaskAssessmentRuns: items.map((run) => runShape(run, all)) };
}

export async function describeReplicationTaskIndividualAssessments(
  request: Checked<dms.DescribeReplicationTaskIndividualAssessmentsMessage>,
  call: Call,
): Promise<dms.DescribeReplicationTaskIndividualAssessmentsResponse> {
  const all = (await call.store.list("assessment-run")).flatMap((run) =>
    run.names.map((name) => ({ run, shape: individualShape(run, name) })),
  );
  const found = filteredOrNotFound(all, request.Filters, {
    what: "Individual Assessments",
    names: {
      "replication-task-assessment-run-arn": ({ run }) => run.arn,
      "replication-task-arn": ({ run }) => run.taskArn,
      status: ({ shape }) => shape.Status ?? "",
    },
  });
  const key = ({ shape }: (typeof all)[number]): string => shape.ReplicationTaskIndividualAssessmentArn ?? "";
  const { items, marker } = page(found, request, { key });
  return { Marker: marker, ReplicationTaskIndividualAssessments: items.map(({ shape }) => shape) };
}

export async function describeApplicableIndividualAssessments(
  request: Checked<dms.DescribeApplicableIndividualAssessmentsMessage>,
  call: Call,
): Promise<dms.DescribeApplicableIndividualAssessmentsResponse> {
  const names = applicableAssessments(await askedPair(request, call));
  const { items, marker } = page(names, request, { key: (name) => name });
  return { Marker: marker, IndividualAssessmentNames: items };
}

/** A task's, or one of engines that may not have a task yet. */
async function askedPair(
  request: Checked<dms.DescribeApplicableIndividualAssessmentsMessage>,
  call: Call,
): Promise<AssessedPair> {
  const { ReplicationTaskArn, SourceEngineName, TargetEngineName, MigrationType } = request;
  if (ReplicationTaskArn !== undefined) {
    return await pairOf(await findTask(replicationTasks, ReplicationTaskArn, call), call);
  }
  checkEnum("MigrationType", MigrationType, ["full-load", "cdc", "full-load-and-cdc"]);
  if (SourceEngineName === undefined || TargetEngineName === undefined || MigrationType === undefined) {
    throw invalidCombination(
      "Either ReplicationTaskArn, or SourceEngineName, TargetEngineName and MigrationType must be given.",
    );
  }
  if (request.ReplicationInstanceArn !== undefined)
    await usableInstance(request.ReplicationInstanceArn, call);
  return {
    source: engineOf(SourceEngineName, call),
    target: engineOf(TargetEngineName, call),
    type: MigrationType,
  };
}

function engineOf(name: string, { engines }: Pick<Call, "engines">): AssessedPair["source"] {
  const known = engines.engines.some((engine) =>
    [engine, ...engine.aliases].some((one) => one.name === name),
  );
  if (!known) throw invalidValue(`Invalid engine name: ${name}`);
  return { family: engines.find(name).name, name };
}

export async function pairOf(task: TaskRecord, call: Pick<Call, "store" | "engines">): Promise<AssessedPair> {
  const [source, target] = await Promise.all([
    findEndpoint(task.sourceArn, call),
    findEndpoint(task.targetArn, call),
  ]);
  return {
    source: engineOf(source.engineName, call),
    target: engineOf(target.engineName, call),
    type: task.migrationType,
  };
}

/** Those that are wanted of the applicable ones, in their order. */
export function chosen(
  names: readonly string[],
  { IncludeOnly: only, Exclude: without }: ChosenNames,
): readonly string[] {
  if (only !== undefined && without !== undefined) {
    throw invalidCombination("IncludeOnly and Exclude exclude each other.");
  }
  const unknown = [...(only ?? []), ...(without ?? [])].filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw invalidValue(`Individual assessments that do not apply to the task: ${unknown.join(", ")}.`);
  }
  const left = names.filter((name) => only?.includes(name) ?? without?.includes(name) !== true);
  if (left.length === 0) throw invalidCombination("No individual assessment is left to run.");
  return left;
}

interface ChosenNames {
  readonly IncludeOnly?: readonly string[] | undefined;
  readonly Exclude?: readonly string[] | undefined;
}

async function runsOf(taskArn: string, call: Call): Promise<readonly AssessmentRunRecord[]> {
  return (await call.store.list("assessment-run")).filter((run) => run.taskArn === taskArn);
}

function missing(arn: string) {
  return notFound(`Assessment run not found: ${arn}.`);
}
