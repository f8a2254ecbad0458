import type { TableId } from "../core/schema.ts";
import type { TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import type { RetryProgress, RetryWish } from "../task/task.ts";
import { invalidState } from "./faults.ts";
import type { Call } from "./service.ts";
import { changeTask, findTask, replications, replicationTasks, type TaskFace } from "./task-face.ts";
import { checkKnown } from "./task-orders.ts";

/*
 * Wishes that a task bring rows which are recorded on its target: those that it has refused, or those that differ. A task has
 * one at a time.
 */

export interface WishMessage {
  /** Of a replication task or of a replication configuration. */
  readonly Arn: string;
  /** All that have some when left out. */
  readonly Tables?: readonly { readonly SchemaName: string; readonly TableName: string }[];
}

export type WantedRows = Omit<RetryWish, "number">;

/** A task by its ARN, with the face that it has. */
export interface FacedTask {
  readonly face: TaskFace;
  readonly record: TaskRecord;
}

export async function facedTask(arn: string, call: Call): Promise<FacedTask> {
  const known = await call.store.get("task", arn);
  const face = known?.serverless === undefined ? replicationTasks : replications;
  return { face, record: await findTask(face, arn, call) };
}

/** Refuses tables that the task does not have. */
export async function namedTables(
  { Tables }: WishMessage,
  record: TaskRecord,
  call: Call,
): Promise<readonly TableId[] | undefined> {
  const tables = Tables?.map(({ SchemaName: schema, TableName: name }) => ({ schema, name }));
  if (tables !== undefined) await checkKnown(record, tables, call);
  return tables;
}

/** Tells a running task. `done`: what is done with rows, for the fault that says that this one does not run. */
export async function wishNow(
  { face, record: { arn } }: FacedTask,
  { wanted, done }: { readonly wanted: WantedRows; readonly done: string },
  call: Call,
): Promise<TaskRecord> {
  const change = (task: TaskRecord): TaskRecord => {
    if (nextTaskStatus(task.status, "retry-errors") !== undefined) return withWish(task, wanted, call);
    throw invalidState(
      `The task ${task.identifier} is ${task.status}: rows are ${done} while it runs. Start it with resume-processing first.`,
    );
  };
  const record = await changeTask({ face, arn, change }, call);
  call.supervisor.retryErrors(record);
  return record;
}

/** The task with the wish as its last; refused while another is open. */
export function withWish(task: TaskRecord, wanted: WantedRows, call: Call): TaskRecord {
  const told = toldOf(task, call)?.state;
  const isOpen = task.retry !== undefined && told !== "done" && told !== "failed";
  if (isOpen && nextTaskStatus(task.status, "retry-errors") !== undefined) {
    const work = task.retry?.wish.of === "differences" ? "repaired" : "tried again";
    throw invalidState(`Rows of the task ${task.identifier} are being ${work} already.`);
  }
  return { ...task, retry: { wish: { number: (task.retry?.wish.number ?? 0) + 1, ...wanted } } };
}

/** What is told of a task's last wish; undefined when it has none of that kind. */
export function wishShape(task: TaskRecord, of: RetryWish["of"], call: Call): object | undefined {
  const { retry } = task;
  if (retry === undefined || retry.wish.of !== of) return undefined;
  const told = toldOf(task, call);
  return {
    Number: retry.wish.number,
    Status: told?.state ?? "waiting",
    ...(of === undefined ? {} : { DryRun: retry.wish.looksOnly === true }),
    Failure:
      told?.error === undefined
        ? undefined
        : `${told.error.code}: ${told.error.message} ${told.error.remedy}`,
    Tables: (told?.tables ?? []).map(({ id, recorded, kinds, settled, left, untried, reason, codes }) => ({
      ...{ SchemaName: id.schema, TableName: id.name, Recorded: recorded },
      ...(kinds === undefined
        ? {}
        : {
            Missing: kinds.MISSING_TARGET ?? 0,
            Extra: kinds.MISSING_SOURCE ?? 0,
            Different: kinds.RECORD_DIFF ?? 0,
          }),
      ...{ Settled: settled, Left: left, Untried: untried, Reason: reason },
      Codes: Object.entries(codes).map(([Code, Count]) => ({ Code, Count })),
    })),
  };
}

/** The newest that is known of the last wish; it may not be stored yet. */
function toldOf({ arn, retry }: TaskRecord, call: Call): RetryProgress | undefined {
  const live = call.supervisor.ledger.liveProgress(arn)?.retry;
  return live !== undefined && live.number === retry?.wish.number ? live : retry?.progress;
}
