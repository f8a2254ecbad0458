import type { TaskRecord } from "../task/records.ts";
import type { Companions } from "../task/store.ts";
import { type Fault, invalidState, notFound } from "./faults.ts";
import type { Call } from "./service.ts";

/**
 * AWS DMS has two faces for what is one kind of task here: a replication task on an instance, and the
 * replication of a serverless configuration. A face sees its own tasks alone and has its own words.
 */
export interface TaskFace {
  /** In the plural, as the fault of a filter that matches nothing names them. */
  readonly plural: string;
  shows(task: TaskRecord): boolean;
  missing(arn: string): Fault;
  /** With the words that tools look for. */
  cannotStart(task: TaskRecord): Fault;
  notRunning(arn: string): Fault;
  cannotModify(task: TaskRecord): Fault;
  cannotDelete(task: TaskRecord): Fault;
}

export const replicationTasks: TaskFace = {
  plural: "Replication Tasks",
  shows: (task) => task.serverless === undefined,
  missing: (arn) => notFound(`Replication Task not found: ${arn}.`),
  cannotStart: (task) => invalidState(`Replication Task cannot be started, invalid state ${task.status}.`),
  notRunning: (arn) => invalidState(`Replication task ${arn} is currently not running.`),
  cannotModify: (task) =>
    invalidState(
      `Replication Task, excluding logging severity task settings, cannot be modified while it is ${task.status} state`,
    ),
  cannotDelete: (task) =>
    invalidState(
      `Replication task ${task.arn} cannot be deleted in its state ${task.status}. Stop it first.`,
    ),
};

export const replications: TaskFace = {
  plural: "Replication Configs",
  shows: (task) => task.serverless !== undefined,
  missing: (arn) => notFound(`Replication Config not found: ${arn}.`),
  cannotStart: (task) => refused(task, "cannot start"),
  notRunning: (arn) => invalidState(`Replication for Replication Config: ${arn} is currently not running.`),
  cannotModify: (task) => refused(task, "cannot be modified"),
  cannotDelete: (task) => refused(task, "cannot be deleted"),
};

function refused({ arn, status }: TaskRecord, what: string): Fault {
  const state = status.toUpperCase();
  return invalidState(`Replication for Replication Config: ${arn} is in ${state} state and ${what}.`);
}

/** Oldest first. */
export async function tasksOf(face: TaskFace, call: Call): Promise<readonly TaskRecord[]> {
  return (await call.store.list("task")).filter((task) => face.shows(task));
}

export async function findTask(face: TaskFace, arn: string, call: Call): Promise<TaskRecord> {
  const record = await call.store.get("task", arn);
  if (record === undefined || !face.shows(record)) throw face.missing(arn);
  return record;
}

export interface TaskChange {
  readonly face: TaskFace;
  readonly arn: string;
  /** May throw to leave the task as it is. */
  readonly change: (task: TaskRecord) => TaskRecord;
  readonly companions?: (task: TaskRecord) => Companions;
}

/** Reads, changes and stores a task in one step. */
export async function changeTask(
  { face, arn, change, companions }: TaskChange,
  call: Pick<Call, "store">,
): Promise<TaskRecord> {
  const changed = (task: TaskRecord): TaskRecord => {
    if (!face.shows(task)) throw face.missing(arn);
    return change(task);
  };
  const record = await call.store.update("task", arn, changed, companions);
  if (record === undefined) throw face.missing(arn);
  return record;
}
