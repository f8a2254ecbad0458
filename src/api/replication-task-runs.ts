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
import { failpoint } from "../base/failpoint.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import { serviceEvent } from "../task/events.ts";
import type { TaskRecord, TaskRun } from "../task/records.ts";
import { reloadRefusal } from "../task/reload-refusal.ts";
import { nextTaskStatus } from "../task/state.ts";
import type { StartMode } from "../task/task.ts";
import { Fault, invalidCombination, invalidState, invalidValue } from "./faults.ts";
import { usableInstance } from "./replication-instances.ts";
import { taskShape } from "./replication-task-shape.ts";
import { findTask, missingTask } from "./replication-tasks.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { tableProgress } from "./table-statistics.ts";
import { cdcStart, cdcStop } from "./task-positions.ts";

const START_MODES = ["reload-target", "resume-processing", "start-replication"] as const;
const MOST_RELOADS = 10;

export async function startReplicationTask(
  request: Checked<StartReplicationTaskMessage>,
  call: Call,
): Promise<StartReplicationTaskResponse> {
  const mode = request.StartReplicationTaskType;
  checkEnum("StartReplicationTaskType", mode, START_MODES);
  const before = await findTask(request.ReplicationTaskArn, call);
  if (nextTaskStatus(before.status, "start") !== undefined) await usableInstance(before.instanceArn, call);
  const record = await call.store.update(
    "task",
    before.arn,
    (task) => started(task, mode, request),
    ({ identifier, run }) => ({
      clearsTableStatistics: run?.mode !== "resume-processing",
      event: serviceEvent("taskStarted", { identifier, detail: startWords[mode] }),
    }),
  );
  if (record === undefined) throw missingTask(before.arn);
  failpoint("service.task-start-stored");
  await call.supervisor.runTask(record);
  return { ReplicationTask: taskShape(record, call) };
}

const startWords: Readonly<Record<StartMode, string>> = {
  "start-replication": "It starts for the first time.",
  "resume-processing": "It resumes.",
  "reload-target": "It loads its tables again.",
};

export async function stopReplicationTask(
  request: Checked<StopReplicationTaskMessage>,
  call: Call,
): Promise<StopReplicationTaskResponse> {
  const record = await call.store.update("task", request.ReplicationTaskArn, (task) => {
    const status = nextTaskStatus(task.status, "stop");
    if (status === undefined) throw invalidState(`Replication task ${task.arn} is currently not running.`);
    return { ...task, status };
  });
  if (record === undefined) throw missingTask(request.ReplicationTaskArn);
  failpoint("service.task-stop-stored");
  call.supervisor.stopTask(record);
  return { ReplicationTask: taskShape(record, call) };
}

export async function reloadTables(
  request: Checked<ReloadTablesMessage>,
  call: Call,
): Promise<ReloadTablesResponse> {
  checkEnum("ReloadOption", request.ReloadOption, ["data-reload", "validate-only"]);
  const record = await findTask(request.ReplicationTaskArn, call);
  if (nextTaskStatus(record.status, "reload-tables") === undefined) {
    throw invalidState(`Replication task ${record.arn} is currently not running.`);
  }
  if (request.ReloadOption === "validate-only") {
    throw new Fault(
      "InvalidOperationFault",
      "ReloadOption validate-only is not built in this version of Tideway.",
    );
  }
  const refusal = reloadRefusal({ type: record.migrationType, settings: record.settings });
  if (refusal !== undefined) throw invalidCombination(`${refusal.message} ${refusal.remedy}`);
  const tables = request.TablesToReload.map((table) => ({
    schema: table.SchemaName ?? "",
    name: table.TableName ?? "",
  }));
  if (tables.length === 0 || tables.length > MOST_RELOADS) {
    throw invalidValue(`TablesToReload must name 1 to ${MOST_RELOADS} tables.`);
  }
  const known = new Set((await tableProgress(record.arn, call)).map((table) => tableKey(table.id)));
  const unknown = tables.filter((table) => !known.has(tableKey(table)));
  if (unknown.length > 0) {
    const names = unknown.map(displayTable).join(", ");
    throw invalidValue(`Replication task ${record.identifier} has no table ${names}.`);
  }
  if (!call.supervisor.reloadTables(record, tables)) {
    throw invalidState(
      `Replication task ${record.arn} is currently not running: its instance's process is being started. Try again.`,
    );
  }
  const detail = `Tables: ${tables.map(displayTable).join(", ")}.`;
  call.supervisor.ledger.happened(serviceEvent("taskReload", { identifier: record.identifier, detail }));
  return { ReplicationTaskArn: record.arn };
}

/**
 * All that a run needs stands in the databases, so a task at rest changes its instance at once. The
 * answer says `moving`, as AWS's does; asked for again, the task is in the state it had.
 */
export async function moveReplicationTask(
  request: Checked<MoveReplicationTaskMessage>,
  call: Call,
): Promise<MoveReplicationTaskResponse> {
  const { arn } = await findTask(request.ReplicationTaskArn, call);
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
  const detail = `It was moved to replication instance ${instance.identifier}.`;
  const record = await call.store.update("task", arn, move, ({ identifier }) => ({
    event: serviceEvent("taskModified", { identifier, detail }),
  }));
  if (record === undefined) throw missingTask(arn);
  return { ReplicationTask: taskShape({ ...record, status: "moving" }, call) };
}

function started(
  task: TaskRecord,
  mode: StartMode,
  request: Checked<StartReplicationTaskMessage>,
): TaskRecord {
  const status = nextTaskStatus(task.status, "start");
  if (status === undefined) {
    throw invalidState(`Replication Task cannot be started, invalid state ${task.status}.`);
  }
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
  const position = cdcStart(request, task.migrationType);
  if (position !== undefined && mode !== "start-replication") {
    throw invalidCombination("A CDC start position is valid only with start-replication.");
  }
  return {
    ...task,
    status,
    stopReason: undefined,
    failure: undefined,
    cdcStartPosition: position ?? task.cdcStartPosition,
    // An empty text takes a stop away that was set before.
    cdcStopPosition:
      request.CdcStopPosition === undefined ? task.cdcStopPosition : cdcStop(request, task.migrationType),
    run: nextRun(task, mode),
    stats: mode === "resume-processing" ? task.stats : undefined,
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
