import { failpoint } from "../base/failpoint.ts";
import { serviceEvent } from "../task/events.ts";
import type { EndpointRecord, TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import type { Tag } from "../task/store.ts";
import { resourceIdOf } from "./arn.ts";
import { findEndpoint } from "./endpoints.ts";
import { alreadyExists, invalidValue } from "./faults.ts";
import type { Call } from "./service.ts";
import { checkMappings, checkValidationOnly, newSettings } from "./task-documents.ts";
import { cdcStart, cdcStop, checkStartTime, type PositionRequest, startsAtTime } from "./task-positions.ts";

export const MIGRATION_TYPES = ["cdc", "full-load", "full-load-and-cdc"] as const;

/** What both faces of a task ask for when they make one. */
export interface TaskRequest {
  readonly arn: string;
  readonly identifier: string;
  readonly sourceArn: string;
  readonly targetArn: string;
  readonly migrationType: TaskRecord["migrationType"];
  readonly tableMappings: string;
  /** Any part of a settings document. */
  readonly settings: string | undefined;
  readonly positions: PositionRequest;
}

/** A task that is not stored yet and has no place to run at. Refuses what cannot be. */
export async function taskDraft(request: TaskRequest, call: Call): Promise<Omit<TaskRecord, "instanceArn">> {
  const { arn, identifier, migrationType, positions } = request;
  const source = await endpointOf("source", request.sourceArn, call);
  const target = await endpointOf("target", request.targetArn, call);
  const cdcStartPosition = cdcStart(positions, migrationType);
  const settings = newSettings(request.settings);
  checkValidationOnly(migrationType, settings);
  checkStartTime(positions, call.engines.find(source.engineName));
  return {
    arn,
    identifier,
    taskId: resourceIdOf(arn).toLowerCase().replaceAll("-", "_"),
    createdMs: Date.now(),
    sourceArn: source.arn,
    targetArn: target.arn,
    migrationType,
    tableMappings: checkMappings(request.tableMappings),
    ...settings,
    cdcStartPosition,
    cdcStopPosition: cdcStop(positions, migrationType),
    status: "creating",
  };
}

export async function storeTask(record: TaskRecord, tags: readonly Tag[], call: Call): Promise<void> {
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

export async function endpointOf(
  type: "source" | "target",
  arn: string,
  call: Call,
): Promise<EndpointRecord> {
  const record = await findEndpoint(arn, call);
  if (record.type === type) return record;
  throw invalidValue(`Endpoint ${arn} is a ${record.type} endpoint and cannot be the task's ${type}.`);
}

/** Refuses a start by time that the source of a task cannot make. */
export async function checkTaskStart(
  { sourceArn }: Pick<TaskRecord, "sourceArn">,
  positions: PositionRequest,
  call: Call,
): Promise<void> {
  if (!startsAtTime(positions)) return;
  checkStartTime(positions, call.engines.find((await endpointOf("source", sourceArn, call)).engineName));
}
