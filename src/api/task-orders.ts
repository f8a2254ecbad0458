import { failpoint } from "../base/failpoint.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import { serviceEvent } from "../task/events.ts";
import type { TaskRecord, TaskRun } from "../task/records.ts";
import { reloadRefusal } from "../task/reload-refusal.ts";
import { nextTaskStatus } from "../task/state.ts";
import type { Companions } from "../task/store.ts";
import type { StartMode } from "../task/task.ts";
import { failureText } from "../task/task-ledger.ts";
import { withReloads } from "../task/wanted-reloads.ts";
import { invalidCombination, invalidValue } from "./faults.ts";
import { type Call, inBackground } from "./service.ts";
import { checkEnum } from "./shapes.ts";
import { tableProgress } from "./table-statistics.ts";
import { checkTaskStart } from "./task-creation.ts";
import { validates } from "./task-documents.ts";
import { changeTask, findTask, type TaskFace } from "./task-face.ts";
import { cdcStart, cdcStop, type PositionRequest } from "./task-positions.ts";

/*
 * What both faces of a task can be told: to start, to stop, to load tables again, to go.
 */

export const START_MODES = ["reload-target", "resume-processing", "start-replication"] as const;
const MOST_RELOADS = 10;

export interface StartOrder {
  readonly face: TaskFace;
  readonly arn: string;
  readonly mode: StartMode;
  readonly positions: PositionRequest;
  /** How a serverless replication was told to start, to be shown as given. */
  readonly startType?: string;
  /** What else is wanted of the run. */
  readonly wanted?: (task: TaskRecord) => TaskRecord;
}

export async function startTask(order: StartOrder, call: Call): Promise<TaskRecord> {
  const { face, arn, mode, positions, startType, wanted = (task) => task } = order;
  await checkTaskStart(await findTask(face, arn, call), positions, call);
  const start = (task: TaskRecord): TaskRecord => {
    const status = nextTaskStatus(task.status, "start");
    if (status === undefined) throw face.cannotStart(task);
    const serverless = task.serverless && { ...task.serverless, startType, awaits: undefined };
    return wanted({ ...started(task, mode, positions), status, serverless });
  };
  const companions = ({ identifier, run }: TaskRecord): Companions => ({
    clearsTableStatistics: run?.mode !== "resume-processing",
    event: serviceEvent("taskStarted", { identifier, detail: startWords[mode] }),
  });
  const record = await changeTask({ face, arn, change: start, companions }, call);
  failpoint("service.task-start-stored");
  await call.supervisor.runTask(record);
  return record;
}

const startWords: Readonly<Record<StartMode, string>> = {
  "start-replication": "It starts for the first time.",
  "resume-processing": "It resumes.",
  "reload-target": "It loads its tables again.",
};

export async function stopTask(face: TaskFace, arn: string, call: Call): Promise<TaskRecord> {
  const stopping = (task: TaskRecord): TaskRecord => {
    const status = nextTaskStatus(task.status, "stop");
    if (status === undefined) throw face.notRunning(arn);
    return { ...task, status };
  };
  const record = await changeTask({ face, arn, change: stopping }, call);
  failpoint("service.task-stop-stored");
  call.supervisor.stopTask(record);
  return record;
}

export interface ReloadOrder {
  readonly face: TaskFace;
  readonly arn: string;
  readonly tables: readonly {
    readonly SchemaName: string | undefined;
    readonly TableName: string | undefined;
  }[];
  /** data-reload when left out. */
  readonly option: string | undefined;
}

export async function reloadTables(
  { face, arn, tables: named, option }: ReloadOrder,
  call: Call,
): Promise<void> {
  checkEnum("ReloadOption", option, ["data-reload", "validate-only"]);
  const record = await findTask(face, arn, call);
  if (nextTaskStatus(record.status, "reload-tables") === undefined) throw face.notRunning(arn);
  const validateOnly = option === "validate-only";
  if (validateOnly) checkValidates(record);
  else checkReloads(record);
  const tables = named.map((table) => ({ schema: table.SchemaName ?? "", name: table.TableName ?? "" }));
  if (tables.length === 0 || tables.length > MOST_RELOADS) {
    throw invalidValue(`TablesToReload must name 1 to ${MOST_RELOADS} tables.`);
  }
  await checkKnown(record, tables, call);
  const names = tables.map(displayTable).join(", ");
  const detail = validateOnly ? `Their validation alone begins anew: ${names}.` : `Tables: ${names}.`;
  const wishes = tables.map((table) => (validateOnly ? { ...table, validateOnly } : table));
  const wanted = await changeTask(
    {
      face,
      arn,
      change: (task) => {
        if (nextTaskStatus(task.status, "reload-tables") === undefined) throw face.notRunning(arn);
        return withReloads(task, wishes);
      },
      companions: ({ identifier }) => ({ event: serviceEvent("taskReload", { identifier, detail }) }),
    },
    call,
  );
  failpoint("service.task-reload-stored");
  call.supervisor.reloadTables(wanted);
}

/** AWS DMS validates tables again only where validation is on. */
function checkValidates({ settings }: TaskRecord): void {
  if (validates(settings)) return;
  throw invalidCombination("ReloadOption validate-only is valid only when EnableValidation is true.");
}

function checkReloads({ migrationType: type, settings }: TaskRecord): void {
  const refusal = reloadRefusal({ type, settings });
  if (refusal !== undefined) throw invalidCombination(`${refusal.message} ${refusal.remedy}`);
}

/** Refuses tables that the task does not have. */
export async function checkKnown(record: TaskRecord, tables: readonly TableId[], call: Call): Promise<void> {
  const known = new Set((await tableProgress(record.arn, call)).map((table) => tableKey(table.id)));
  const unknown = tables.filter((table) => !known.has(tableKey(table)));
  if (unknown.length === 0) return;
  throw invalidValue(`${record.identifier} has no table ${unknown.map(displayTable).join(", ")}.`);
}

export async function deleteTask(face: TaskFace, arn: string, call: Call): Promise<TaskRecord> {
  const deleting = (task: TaskRecord): TaskRecord => {
    const status = nextTaskStatus(task.status, "delete");
    if (status === undefined) throw face.cannotDelete(task);
    return { ...task, status };
  };
  const record = await changeTask({ face, arn, change: deleting }, call);
  failpoint("service.task-deletion-stored");
  inBackground(call, () => finishTaskDeletion(record, call));
  return record;
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
    const runs = (await store.list("assessment-run")).filter(({ taskArn }) => taskArn === arn);
    const removes = runs.map((run) => ({ kind: "assessment-run", arn: run.arn }) as const);
    await store.remove("task", arn, { event, removes });
    failpoint("service.task-removed");
  });
}

function started(task: TaskRecord, mode: StartMode, positions: PositionRequest): TaskRecord {
  const shouted = mode.replace("-", "_").toUpperCase();
  if (mode === "start-replication" && task.run !== undefined) {
    throw invalidCombination(`Start Type : ${shouted}, valid only for tasks running for the first time`);
  }
  if (mode !== "start-replication" && task.run === undefined) {
    throw invalidCombination(`Start Type : ${shouted}, not valid for tasks running for the first time`);
  }
  if (mode === "reload-target" && task.migrationType === "cdc") {
    throw invalidCombination(`Start Type : ${shouted}, not valid for tasks of migration type cdc`);
  }
  if (mode === "resume-processing") checkResumable(task);
  const position = cdcStart(positions, task.migrationType);
  if (position !== undefined && mode !== "start-replication") {
    throw invalidCombination("A CDC start position is valid only with start-replication.");
  }
  return {
    ...task,
    stopReason: undefined,
    failure: undefined,
    cdcStartPosition: position ?? task.cdcStartPosition,
    // An empty text takes a stop away that was set before.
    cdcStopPosition:
      positions.CdcStopPosition === undefined ? task.cdcStopPosition : cdcStop(positions, task.migrationType),
    run: nextRun(task, mode),
    stats: mode === "resume-processing" ? task.stats : undefined,
    reloads: mode === "resume-processing" ? task.reloads : undefined,
  };
}

/**
 * A run that ended before there was anything to resume (a wrong password, say) is resumed by starting
 * as it was meant to start.
 */
function nextRun({ run: previous, migrationType: type }: TaskRecord, mode: StartMode): TaskRun {
  const now = Date.now();
  const streamed = type !== "full-load" || previous?.streamed === true;
  const run = { type, streamed, startedMs: now };
  if (previous === undefined || mode === "reload-target") return { ...run, mode, freshMs: now };
  return { ...run, mode: previous.mode, freshMs: previous.freshMs };
}

/**
 * A full load keeps no place in the source's log. What was committed since is in neither the rows it
 * read nor a stream that is opened now, so a task that is to replicate cannot go on from it.
 */
function checkResumable({ run, migrationType }: TaskRecord): void {
  if (run?.mode !== "resume-processing" || run.type !== "full-load" || migrationType === "full-load") return;
  const remedy =
    migrationType === "cdc" ? "Create a new task of type cdc with a CDC start position" : "Use reload-target";
  throw invalidCombination(
    `Start Type : RESUME_PROCESSING, not valid for tasks changed from full-load to ${migrationType}: changes made since the full load would be lost. ${remedy}.`,
  );
}
