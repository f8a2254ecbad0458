import type {
  MoveReplicationTaskMessage,
  MoveReplicationTaskResponse,
  ReloadTablesMessage,
  ReloadTablesResponse,
  StartReplicationTaskMessage,
  StartReplicationTaskResponse,
  StopReplicationTaskMessage,
  StopReplicationTaskResponse,
} from "@aws-sdk/client-database-migration-service";
import { serviceEvent } from "../task/events.ts";
import type { TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import { isOlderEngine } from "./engine-versions.ts";
import { invalidCombination, invalidState } from "./faults.ts";
import { findInstance, usableInstance } from "./replication-instances.ts";
import { taskShape } from "./replication-task-shape.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { changeTask, findTask, replicationTasks } from "./task-face.ts";
import { reloadTables as reload, START_MODES, startTask, stopTask } from "./task-orders.ts";

const face = replicationTasks;

export async function startReplicationTask(
  request: Checked<StartReplicationTaskMessage>,
  call: Call,
): Promise<StartReplicationTaskResponse> {
  const { ReplicationTaskArn: arn, StartReplicationTaskType: mode } = request;
  checkEnum("StartReplicationTaskType", mode, START_MODES);
  const before = await findTask(face, arn, call);
  if (nextTaskStatus(before.status, "start") !== undefined) await usableInstance(before.instanceArn, call);
  const record = await startTask({ face, arn, mode, positions: request }, call);
  return { ReplicationTask: taskShape(record, call) };
}

export async function stopReplicationTask(
  request: Checked<StopReplicationTaskMessage>,
  call: Call,
): Promise<StopReplicationTaskResponse> {
  const record = await stopTask(face, request.ReplicationTaskArn, call);
  return { ReplicationTask: taskShape(record, call) };
}

export async function reloadTables(
  request: Checked<ReloadTablesMessage>,
  call: Call,
): Promise<ReloadTablesResponse> {
  const { ReplicationTaskArn: arn, TablesToReload: tables, ReloadOption: option } = request;
  await reload({ face, arn, tables, option }, call);
  return { ReplicationTaskArn: arn };
}

/**
 * All that a run needs stands in the databases, so a task at rest changes its instance at once. The
 * answer says `moving`, as AWS's does; asked for again, the task is in the state it had. As with AWS the
 * instance's engine may not be older than that of the one it leaves.
 */
export async function moveReplicationTask(
  request: Checked<MoveReplicationTaskMessage>,
  call: Call,
): Promise<MoveReplicationTaskResponse> {
  const { arn, instanceArn } = await findTask(face, request.ReplicationTaskArn, call);
  const instance = await usableInstance(request.TargetReplicationInstanceArn, call);
  const move = (task: TaskRecord): TaskRecord => {
    if (nextTaskStatus(task.status, "move") === undefined) {
      throw invalidState(
        `Replication task ${arn} cannot be moved in its state ${task.status}. Stop it first.`,
      );
    }
    if (task.instanceArn === instance.arn) {
      throw invalidCombination(`Replication task ${arn} is on replication instance ${instance.arn} already.`);
    }
    return { ...task, instanceArn: instance.arn };
  };
  const { engineVersion } = await findInstance(instanceArn, call);
  if (isOlderEngine(instance.engineVersion, engineVersion)) {
    throw invalidCombination(
      `Replication instance ${instance.arn} has engine version ${instance.engineVersion}, which is older than ${engineVersion}, that of the task's instance.`,
    );
  }
  const detail = `It was moved to replication instance ${instance.identifier}.`;
  const record = await changeTask(
    {
      face,
      arn,
      change: move,
      companions: ({ identifier }) => ({ event: serviceEvent("taskModified", { identifier, detail }) }),
    },
    call,
  );
  const moving = taskShape({ ...record, instanceArn, status: "moving" }, call);
  return { ReplicationTask: { ...moving, TargetReplicationInstanceArn: instance.arn } };
}
