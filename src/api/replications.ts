import type {
  DescribeReplicationsMessage,
  DescribeReplicationsResponse,
  ReloadReplicationTablesMessage,
  ReloadReplicationTablesResponse,
  Replication,
  StartReplicationMessage,
  StartReplicationResponse,
  StopReplicationMessage,
  StopReplicationResponse,
} from "@aws-sdk/client-database-migration-service";
import type { TaskRecord } from "../task/records.ts";
import type { StartMode } from "../task/task.ts";
import { type Filter, filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import { endAssessment, startAssessed } from "./premigration.ts";
import { isServerless, replicationShape, type ServerlessTask } from "./replication-config-shape.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { replications as face, findTask, tasksOf } from "./task-face.ts";
import { reloadTables, START_MODES, startTask, stopTask } from "./task-orders.ts";

export async function describeReplications(
  request: Checked<DescribeReplicationsMessage>,
  call: Call,
): Promise<DescribeReplicationsResponse> {
  const found = await findReplications(request.Filters, call);
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  const runs = await call.store.list("assessment-run");
  return { Marker: marker, Replications: items.map((record) => replicationShape(record, runs, call)) };
}

export async function startReplication(
  request: Checked<StartReplicationMessage>,
  call: Call,
): Promise<StartReplicationResponse> {
  const { ReplicationConfigArn: arn, StartReplicationType: given } = request;
  const { PremigrationAssessmentSettings: settings } = request;
  const mode = startMode(given, await findReplication(arn, call));
  const order = { face, arn, mode, positions: request, startType: given };
  const record =
    settings === undefined ? await startTask(order, call) : await startAssessed(order, settings, call);
  return { Replication: await shown(record, call) };
}

async function shown(record: TaskRecord, call: Call): Promise<Replication> {
  return replicationShape(serverless(record), await call.store.list("assessment-run"), call);
}

/**
 * Terraform's provider names a first start `resume-processing`, or `creating`, which is no start type; and AWS
 * takes both. So whether it is the first decides where the name does not.
 */
function startMode(given: string, { run }: TaskRecord): StartMode {
  checkEnum("StartReplicationType", given, [...START_MODES, "creating"]);
  if (given !== "creating" && given !== "resume-processing") return given as StartMode;
  return run === undefined ? "start-replication" : "resume-processing";
}

export async function stopReplication(
  request: Checked<StopReplicationMessage>,
  call: Call,
): Promise<StopReplicationResponse> {
  const record = await stopTask(face, request.ReplicationConfigArn, call);
  await endAssessment(record, call);
  return { Replication: await shown(record, call) };
}

export async function reloadReplicationTables(
  request: Checked<ReloadReplicationTablesMessage>,
  call: Call,
): Promise<ReloadReplicationTablesResponse> {
  const { ReplicationConfigArn: arn, TablesToReload: tables, ReloadOption: option } = request;
  await reloadTables({ face, arn, tables, option }, call);
  return { ReplicationConfigArn: arn };
}

export async function findReplications(
  filters: readonly Filter[] | undefined,
  call: Call,
): Promise<readonly ServerlessTask[]> {
  return filteredOrNotFound((await tasksOf(face, call)).filter(isServerless), filters, {
    what: face.plural,
    names: {
      "replication-config-arn": (one) => one.arn,
      "replication-config-id": (one) => one.identifier,
    },
  });
}

export async function findReplication(arn: string, call: Call): Promise<ServerlessTask> {
  return serverless(await findTask(face, arn, call));
}

/** A task that the face of replications has shown. */
export function serverless(task: TaskRecord): ServerlessTask {
  if (isServerless(task)) return task;
  throw face.missing(task.arn);
}
