import { TaskRunner } from "../task/runner.ts";
import { readTaskSettings } from "../task/settings.ts";
import type { RunningTask, TaskListener, TaskSpec } from "../task/task.ts";
import { registry } from "./engines.ts";
import { findPlaces } from "./followed-tasks.ts";

/** Runs a task in this process. */
export function runTask(spec: TaskSpec, listener: TaskListener): RunningTask {
  return new TaskRunner(spec, { registry, findPlaces }, listener);
}

/**
 * Removes what a task left on both sides: on the source its slot and publication, on the target its
 * rows in the control tables and its replication origin. Nothing that was migrated is touched. Both sides
 * are tried; the first failure is thrown afterwards.
 */
export async function cleanUpTask(spec: TaskSpec, signal: AbortSignal): Promise<void> {
  const results = await Promise.allSettled([cleanUpSource(spec, signal), cleanUpTarget(spec, signal)]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function cleanUpSource(spec: TaskSpec, signal: AbortSignal): Promise<void> {
  if (spec.type === "full-load") return;
  await using source = await registry.find(spec.source.engine).openSource(spec.source, signal);
  const stream = { taskId: spec.id, tables: [] };
  await source.dropStream(stream, signal);
  await source.dropNotes(stream, signal);
}

async function cleanUpTarget(spec: TaskSpec, signal: AbortSignal): Promise<void> {
  const { controlSchema, optionalTables } = readTaskSettings(spec.settings);
  const request = { taskId: spec.id, controlSchema, optionalTables };
  await using target = await registry.find(spec.target.engine).openTarget(spec.target, signal);
  await using journal = await target.openJournal(request, signal);
  // The setting may have been taken back since. The records go last: by them the origin is told to be a task's of this database.
  await target.forgetMark(spec.id, signal);
  await journal.forget(signal);
}
