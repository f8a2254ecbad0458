import type { TaskRecord } from "../task/records.ts";
import { changedSettings, checkMappings, checkValidationOnly } from "./task-documents.ts";
import { cdcStart, cdcStop, type PositionRequest } from "./task-positions.ts";

/** What both faces of a task let people change of it; what is left out stays. */
export interface TaskChanges {
  readonly identifier: string | undefined;
  readonly migrationType: TaskRecord["migrationType"] | undefined;
  readonly tableMappings: string | undefined;
  /** Any part of a settings document, which is merged into the task's. */
  readonly settings: string | undefined;
  readonly positions: PositionRequest;
}

/** The task after the changes, whatever its state. Refuses what cannot be. */
export function changedTask(task: TaskRecord, changes: TaskChanges): TaskRecord {
  const { tableMappings, positions } = changes;
  const migrationType = changes.migrationType ?? task.migrationType;
  const settings = changedSettings(changes.settings, task);
  checkValidationOnly(migrationType, settings);
  return {
    ...task,
    migrationType,
    identifier: changes.identifier ?? task.identifier,
    tableMappings: tableMappings === undefined ? task.tableMappings : checkMappings(tableMappings),
    ...settings,
    cdcStartPosition: cdcStart(positions, migrationType) ?? task.cdcStartPosition,
    // An empty text takes a stop away that was set before.
    cdcStopPosition:
      positions.CdcStopPosition === undefined ? task.cdcStopPosition : cdcStop(positions, migrationType),
  };
}
