import type {
  ModifyReplicationTaskMessage,
  ModifyReplicationTaskResponse,
} from "@aws-sdk/client-database-migration-service";
import { serviceEvent } from "../task/events.ts";
import type { TaskRecord } from "../task/records.ts";
import { isActive, nextTaskStatus } from "../task/state.ts";
import { checkIdentifier } from "./arn.ts";
import { invalidCombination, invalidState } from "./faults.ts";
import { taskShape } from "./replication-task-shape.ts";
import { MIGRATION_TYPES, missingTask } from "./replication-tasks.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { changedSettings, checkMappings, onlyLoggingDiffers } from "./task-documents.ts";
import { cdcStart, cdcStop } from "./task-positions.ts";

type Request = Checked<ModifyReplicationTaskMessage>;

/**
 * The change is made at once; the answer says `modifying`, as AWS's does, and the task is back in the
 * state it had when it is asked for again. Of a running task only the logging severities may change.
 */
export async function modifyReplicationTask(
  request: Request,
  call: Call,
): Promise<ModifyReplicationTaskResponse> {
  checkEnum("MigrationType", request.MigrationType, MIGRATION_TYPES);
  if (request.ReplicationTaskIdentifier !== undefined) {
    checkIdentifier("ReplicationTaskIdentifier", request.ReplicationTaskIdentifier, 255);
  }
  const record = await call.store.update(
    "task",
    request.ReplicationTaskArn,
    (task) => modified(task, request),
    ({ identifier }) => ({ event: serviceEvent("taskModified", { identifier }) }),
  );
  if (record === undefined) throw missingTask(request.ReplicationTaskArn);
  const status = isActive(record.status) ? record.status : "modifying";
  return { ReplicationTask: taskShape({ ...record, status }, call) };
}

function modified(task: TaskRecord, request: Request): TaskRecord {
  const migrationType = request.MigrationType ?? task.migrationType;
  const next: TaskRecord = {
    ...task,
    migrationType,
    identifier: request.ReplicationTaskIdentifier ?? task.identifier,
    tableMappings:
      request.TableMappings === undefined ? task.tableMappings : checkMappings(request.TableMappings),
    settings: changedSettings(request.ReplicationTaskSettings, task.settings),
    cdcStartPosition: cdcStart(request, migrationType) ?? task.cdcStartPosition,
    // An empty text takes a stop away that was set before.
    cdcStopPosition:
      request.CdcStopPosition === undefined ? task.cdcStopPosition : cdcStop(request, migrationType),
    taskData: request.TaskData ?? task.taskData,
  };
  if (!asksForSomething(request)) throw invalidCombination("No modifications were requested on the task");
  if (nextTaskStatus(task.status, "modify") !== undefined) return next;
  const loggingOnly =
    sameText({ ...next, settings: "" }, { ...task, settings: "" }) &&
    onlyLoggingDiffers(next.settings, task.settings);
  if (isActive(task.status) && loggingOnly) return next;
  throw invalidState(
    `Replication Task, excluding logging severity task settings, cannot be modified while it is ${task.status} state`,
  );
}

function asksForSomething(request: Request): boolean {
  const { ReplicationTaskArn: _which, ...changes } = request;
  return Object.values(changes).some((value) => value !== undefined);
}

/** Records are compared as they are stored, where an unset member and a missing one are the same. */
function sameText(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
