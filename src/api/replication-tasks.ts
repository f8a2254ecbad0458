import type {
  CreateReplicationTaskMessage,
  CreateReplicationTaskResponse,
  DeleteReplicationTaskMessage,
  DeleteReplicationTaskResponse,
  DescribeReplicationTasksMessage,
  DescribeReplicationTasksResponse,
} from "@aws-sdk/client-database-migration-service";
import { failpoint } from "../base/failpoint.ts";
import { serviceEvent } from "../task/events.ts";
import type { EndpointRecord, TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import { failureText } from "../task/task-ledger.ts";
import { checkIdentifier, makeArn, newResourceId, resourceIdOf } from "./arn.ts";
import { findEndpoint } from "./endpoints.ts";
import { alreadyExists, type Fault, invalidState, invalidValue, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import { usableInstance } from "./replication-instances.ts";
import { taskShape } from "./replication-task-shape.ts";
import { type Call, inBackground } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";
import { checkMappings, newSettings } from "./task-documents.ts";
import { cdcStart, cdcStop } from "./task-positions.ts";

export const MIGRATION_TYPES = ["cdc", "full-load", "full-load-and-cdc"] as const;

export async function createReplicationTask(
  request: Checked<CreateReplicationTaskMessage>,
  call: Call,
): Promise<CreateReplicationTaskResponse> {
  checkEnum("MigrationType", request.MigrationType, MIGRATION_TYPES);
  checkIdentifier("ReplicationTaskIdentifier", request.ReplicationTaskIdentifier, 255);
  const tags = checkTags(request.Tags);
  const record = await newTask(request, call);
  const tasks = await call.store.list("task");
  // Slots and journals are named after it, whatever the case of the ResourceIdentifier.
  const taken = tasks.find((task) => task.taskId === record.taskId);
  const event = serviceEvent("taskCreated", { identifier: record.identifier });
  if (taken !== undefined || !(await call.store.insert("task", record, { tags, event }))) {
    throw alreadyExists(
      `Replication task ${taken?.identifier ?? record.identifier} already exists.`,
      taken?.arn,
    );
  }
  failpoint("service.task-stored");
  finishCreation(record.arn, call);
  return { ReplicationTask: taskShape(record, call) };
}

/** Nothing is to be made for a task before it starts. */
export function finishCreation(arn: string, { store, supervisor }: Pick<Call, "store" | "supervisor">): void {
  supervisor.ledger.inOrder(`creation ${arn}`, () =>
    store.update("task", arn, (task) => ({
      ...task,
      status: nextTaskStatus(task.status, "created") ?? task.status,
    })),
  );
}

export async function describeReplicationTasks(
  request: Checked<DescribeReplicationTasksMessage>,
  call: Call,
): Promise<DescribeReplicationTasksResponse> {
  const found = filteredOrNotFound(await call.store.list("task"), request.Filters, {
    what: "Replication Tasks",
    names: {
      "replication-task-arn": (one) => one.arn,
      "replication-task-id": (one) => one.identifier,
      "migration-type": (one) => one.migrationType,
      "endpoint-arn": (one) => [one.sourceArn, one.targetArn],
      "replication-instance-arn": (one) => one.instanceArn,
    },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  const options = { withoutSettings: request.WithoutSettings };
  return { Marker: marker, ReplicationTasks: items.map((record) => taskShape(record, call, options)) };
}

export async function deleteReplicationTask(
  request: Checked<DeleteReplicationTaskMessage>,
  call: Call,
): Promise<DeleteReplicationTaskResponse> {
  const record = await call.store.update("task", request.ReplicationTaskArn, (task) => {
    const status = nextTaskStatus(task.status, "delete");
    if (status === undefined) {
      throw invalidState(
        `Replication task ${task.arn} cannot be deleted in its state ${task.status}. Stop it first.`,
      );
    }
    return { ...task, status };
  });
  if (record === undefined) throw missingTask(request.ReplicationTaskArn);
  failpoint("service.task-deletion-stored");
  inBackground(call, () => finishTaskDeletion(record, call));
  return { ReplicationTask: taskShape(record, call) };
}

/**
 * Removes what a task left in the databases, then the task. When a database cannot be reached the task
 * goes all the same, and an event says what is left where.
 */
export async function finishTaskDeletion(
  record: TaskRecord,
  { store, supervisor }: Pick<Call, "store" | "supervisor">,
): Promise<void> {
  const { arn, identifier } = record;
  const { ledger } = supervisor;
  const answer = record.run === undefined ? undefined : await supervisor.cleanUp(record);
  failpoint("service.task-cleaned-up");
  if (answer?.ok === false) {
    const detail = `${failureText(answer.error)} What may be left in the two databases is named after ${record.taskId}; tideway cleanup --dry-run lists it.`;
    ledger.happened(serviceEvent("cleanUpFailed", { identifier, detail }));
  }
  const event = serviceEvent("taskDeleted", { identifier });
  ledger.inOrder(`removal ${arn}`, async () => {
    await store.remove("task", arn, { event });
    failpoint("service.task-removed");
  });
}

export async function findTask(arn: string, call: Call): Promise<TaskRecord> {
  const record = await call.store.get("task", arn);
  if (record === undefined) throw missingTask(arn);
  return record;
}

export function missingTask(arn: string): Fault {
  return notFound(`Replication Task not found: ${arn}.`);
}

async function newTask(request: Checked<CreateReplicationTaskMessage>, call: Call): Promise<TaskRecord> {
  const instance = await usableInstance(request.ReplicationInstanceArn, call);
  const source = await endpointOf("source", request.SourceEndpointArn, call);
  const target = await endpointOf("target", request.TargetEndpointArn, call);
  const arn = makeArn(call, "task", newResourceId(request.ResourceIdentifier));
  return {
    arn,
    identifier: request.ReplicationTaskIdentifier,
    taskId: resourceIdOf(arn).toLowerCase().replaceAll("-", "_"),
    createdMs: Date.now(),
    instanceArn: instance.arn,
    sourceArn: source.arn,
    targetArn: target.arn,
    migrationType: request.MigrationType,
    tableMappings: checkMappings(request.TableMappings),
    settings: newSettings(request.ReplicationTaskSettings),
    taskData: request.TaskData,
    cdcStartPosition: cdcStart(request, request.MigrationType),
    cdcStopPosition: cdcStop(request, request.MigrationType),
    status: "creating",
  };
}

async function endpointOf(type: "source" | "target", arn: string, call: Call): Promise<EndpointRecord> {
  const record = await findEndpoint(arn, call);
  if (record.type === type) return record;
  throw invalidValue(`Endpoint ${arn} is a ${record.type} endpoint and cannot be the task's ${type}.`);
}
