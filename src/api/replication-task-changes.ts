import type {
  ModifyReplicationTaskMessage,
  ModifyReplicationTaskResponse,
} from "@aws-sdk/client-database-migration-service";
import { serviceEvent } from "../task/events.ts";
import type { TaskRecord } from "../task/records.ts";
import { isActive, nextTaskStatus } from "../task/state.ts";
import { checkIdentifier } from "./arn.ts";
import { invalidCombination } from "./faults.ts";
import { taskShape } from "./replication-task-shape.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { changedTask } from "./task-change.ts";
import { checkTaskStart, MIGRATION_TYPES } from "./task-creation.ts";
import { onlyLoggingDiffers } from "./task-documents.ts";
import { changeTask, findTask, replicationTasks } from "./task-face.ts";

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
  const found = await findTask(replicationTasks, request.ReplicationTaskArn, call);
  await checkTaskStart(found, request, call);
  const record = await changeTask(
    {
      face: replicationTasks,
      arn: request.ReplicationTaskArn,
      change: (task) => modified(task, request),
      companions: ({ identifier }) => ({ event: serviceEvent("taskModified", { identifier }) }),
    },
    call,
  );
  const status = isActive(record.status) ? record.status : "modifying";
  return { ReplicationTask: taskShape({ ...record, status }, call) };
}

function modified(task: TaskRecord, request: Request): TaskRecord {
  const next = {
    ...changedTask(task, {
      identifier: request.ReplicationTaskIdentifier,
      migrationType: request.MigrationType,
      tableMappings: request.TableMappings,
      settings: request.ReplicationTaskSettings,
      positions: request,
    }),
    taskData: request.TaskData ?? task.taskData,
  };
  if (!asksForSomething(request)) throw invalidCombination("No modifications were requested on the task");
  if (nextTaskStatus(task.status, "modify") !== undefined) return next;
  const loggingOnly =
    sameText({ ...next, settings: "" }, { ...task, settings: "" }) &&
    onlyLoggingDiffers(next.settings, task.settings);
  if (isActive(task.status) && loggingOnly) return next;
  throw replicationTasks.cannotModify(task);
}

function asksForSomething(request: Request): boolean {
  const { ReplicationTaskArn: _which, ...changes } = request;
  return Object.values(changes).some((value) => value !== undefined);
}

/** Records are compared as they are stored, where an unset member and a missing one are the same. */
function sameText(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
