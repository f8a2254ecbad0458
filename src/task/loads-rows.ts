import type { TaskSettings } from "./settings.ts";
import type { TaskSpec } from "./task.ts";

/** Whether a task makes tables and loads them. One that only captures changes, or only compares, finds everything made. */
export function loadsRows({
  spec,
  settings,
}: {
  readonly spec: Pick<TaskSpec, "type">;
  readonly settings: Pick<TaskSettings, "validation">;
}): boolean {
  return spec.type !== "cdc" && !settings.validation.only;
}
