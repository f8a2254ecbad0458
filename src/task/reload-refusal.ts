import { MigrationError } from "../core/error.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import { onlyValidates, readTaskSettings } from "./settings.ts";
import type { ReloadWish, TaskSpec } from "./task.ts";

export interface ReloadRefusal {
  readonly message: string;
  readonly remedy: string;
}

/** Why tables of a task cannot be loaded again, whatever its state; undefined when they can. */
export function reloadRefusal({
  type,
  settings,
}: Pick<TaskSpec, "type" | "settings">): ReloadRefusal | undefined {
  if (onlyValidates(settings)) {
    return {
      message: "Tables of a task that only compares (ValidationOnly) cannot be reloaded.",
      remedy: "Ask for validate-only, which compares them anew.",
    };
  }
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

/** Throws `usage.invalid` for wishes that a task cannot fulfil. `known`: its tables, by key. */
export function checkWishes(
  wishes: readonly ReloadWish[],
  known: ReadonlySet<string>,
  spec: Pick<TaskSpec, "name" | "type" | "settings">,
): void {
  const refusal = wishes.some(({ validateOnly }) => !validateOnly) ? reloadRefusal(spec) : undefined;
  if (refusal !== undefined) throw new MigrationError("usage.invalid", { ...refusal, subject: spec.name });
  const unknown = wishes.find((wish) => !known.has(tableKey(wish)));
  if (unknown === undefined) return;
  throw new MigrationError("usage.invalid", {
    message: `The task has no table ${displayTable(unknown)}.`,
    subject: displayTable(unknown),
    remedy: "Name tables as the task's table statistics list them.",
  });
}
