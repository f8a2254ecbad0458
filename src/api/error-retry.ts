import type { TableId } from "../core/schema.ts";
import type { TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import type { RetryProgress } from "../task/task.ts";
import { invalidState } from "./faults.ts";
import type { Call } from "./service.ts";
import { changeTask, findTask, replications, replicationTasks, type TaskFace } from "./task-face.ts";
import { checkKnown, startTask } from "./task-orders.ts";

/*
 * Operations of Tideway's own: rows that the target has refused are tried again. AWS DMS has nothing like it; what they are
 * asked and answer stands in docs/api.md.
 */

interface RetryErrorsMessage {
  /** Of a replication task or of a replication configuration. */
  readonly Arn: string;
  /** All that have some when left out. */
  readonly Tables?: readonly { readonly SchemaName: string; readonly TableName: string }[];
}

interface ErrorRetryAnswer {
  readonly Arn: string;
  readonly ErrorRetry: object | undefined;
}

export async function retryErrors(
  { Arn, Tables }: RetryErrorsMessage,
  call: Call,
): Promise<ErrorRetryAnswer> {
  const face = await faceOf(Arn, call);
  const before = await findTask(face, Arn, call);
  const tables = Tables?.map(({ SchemaName: schema, TableName: name }) => ({ schema, name }));
  if (tables !== undefined) await checkKnown(before, tables, call);
  const record = isLoaded(before)
    ? await retryWithStart(face, before, tables, call)
    : await retryNow(face, Arn, tables, call);
  return { Arn, ErrorRetry: shapeOf(record, call) };
}

export async function describeErrorRetry(
  { Arn }: Pick<RetryErrorsMessage, "Arn">,
  call: Call,
): Promise<ErrorRetryAnswer> {
  const record = await findTask(await faceOf(Arn, call), Arn, call);
  return { Arn, ErrorRetry: shapeOf(record, call) };
}

/** A task that moves no changes is run once more for it: its load is done, so nothing else happens. */
function isLoaded({ migrationType, run, status }: TaskRecord): boolean {
  const isAtRest = nextTaskStatus(status, "start") !== undefined;
  return migrationType === "full-load" && isAtRest && run?.mode === "resume-processing";
}

async function retryNow(
  face: TaskFace,
  arn: string,
  tables: readonly TableId[] | undefined,
  call: Call,
): Promise<TaskRecord> {
  const change = (task: TaskRecord): TaskRecord => {
    if (nextTaskStatus(task.status, "retry-errors") !== undefined) return withRetry(task, tables, call);
    throw invalidState(
      `The task ${task.identifier} is ${task.status}: rows are tried again while it runs. Start it with resume-processing first.`,
    );
  };
  const record = await changeTask({ face, arn, change }, call);
  call.supervisor.retryErrors(record);
  return record;
}

async function retryWithStart(
  face: TaskFace,
  { arn }: TaskRecord,
  tables: readonly TableId[] | undefined,
  call: Call,
): Promise<TaskRecord> {
  const wanted = (task: TaskRecord): TaskRecord => withRetry(task, tables, call);
  return await startTask({ face, arn, mode: "resume-processing", positions: {}, wanted }, call);
}

function withRetry(task: TaskRecord, tables: readonly TableId[] | undefined, call: Call): TaskRecord {
  const told = toldOf(task, call)?.state;
  const isOpen = task.retry !== undefined && told !== "done" && told !== "failed";
  if (isOpen && nextTaskStatus(task.status, "retry-errors") !== undefined) {
    throw invalidState(`Rows of the task ${task.identifier} are being tried again already.`);
  }
  return { ...task, retry: { wish: { number: (task.retry?.wish.number ?? 0) + 1, tables } } };
}

/** The newest that is known of the last wish; it may not be stored yet. */
function toldOf({ arn, retry }: TaskRecord, call: Call): RetryProgress | undefined {
  const live = call.supervisor.ledger.liveProgress(arn)?.retry;
  return live !== undefined && live.number === retry?.wish.number ? live : retry?.progress;
}

async function faceOf(arn: string, call: Call): Promise<TaskFace> {
  const record = await call.store.get("task", arn);
  return record?.serverless === undefined ? replicationTasks : replications;
}

function shapeOf(task: TaskRecord, call: Call): object | undefined {
  const { retry } = task;
  if (retry === undefined) return undefined;
  const told = toldOf(task, call);
  return {
    Number: retry.wish.number,
    Status: told?.state ?? "waiting",
    Failure:
      told?.error === undefined
        ? undefined
        : `${told.error.code}: ${told.error.message} ${told.error.remedy}`,
    Tables: (told?.tables ?? []).map(({ id, recorded, settled, left, untried, reason, codes }) => ({
      ...{ SchemaName: id.schema, TableName: id.name },
      ...{ Recorded: recorded, Settled: settled, Left: left, Untried: untried, Reason: reason },
      Codes: Object.entries(codes).map(([Code, Count]) => ({ Code, Count })),
    })),
  };
}
