import { readTaskSettings } from "./settings.ts";
import type { TaskSpec } from "./task.ts";

export interface ReloadRefusal {
  readonly message: string;
  readonly remedy: string;
}

/** Why tables of a task cannot be loaded again, whatever its state; undefined when they can. */
export function reloadRefusal({
  type,
  settings,
}: Pick<TaskSpec, "type" | "settings">): ReloadRefusal | undefined {
  if (type === "cdc") {
    return {
      message: "Tables of a task that only replicates changes (cdc) cannot be reloaded.",
      remedy: "Use a task that loads and replicates.",
    };
  }
  if (type === "full-load" || !readTaskSettings(settings).preventsLoops) return undefined;
  return {
    message:
      "Tables of a task with EnableLoopbackPrevention cannot be reloaded: what is loaded would come back.",
    remedy:
      "Delete the task in the other direction, start this one with reload-target, then create the other anew.",
  };
}
