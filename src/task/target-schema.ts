import type { Target } from "../core/target.ts";
import type { TaskSettings } from "./settings.ts";

/** The schema of everything that no schema rule renames; undefined for its own. The task's word comes first. */
export function targetSchema(
  settings: Pick<TaskSettings, "targetSchema">,
  target: Pick<Target, "onlySchema">,
): string | undefined {
  return settings.targetSchema ?? target.onlySchema;
}
