import type { Finding } from "../core/finding.ts";
import type { ReloadRefusal } from "./reload-refusal.ts";
import { onlyValidates } from "./settings.ts";
import type { TaskSpec } from "./task.ts";

const PATH = "ValidationSettings.ValidationOnly";

/** Why a task of that type cannot only compare; undefined when it can, or is not asked to. */
export function validationOnlyRefusal({
  type,
  settings,
}: Pick<TaskSpec, "type" | "settings">): ReloadRefusal | undefined {
  if (type !== "full-load-and-cdc" || !onlyValidates(settings)) return undefined;
  return {
    message: `${PATH} is not valid for tasks of the type full-load-and-cdc: a task that only compares loads nothing.`,
    remedy:
      "Use a task of the type full-load, which compares all tables once, or cdc, which goes on with the rows that changes concern.",
  };
}

export function validationOnlyFindings(spec: Pick<TaskSpec, "type" | "settings">): readonly Finding[] {
  const refusal = validationOnlyRefusal(spec);
  if (refusal === undefined) return [];
  return [{ code: "settings.unsupported", severity: "error", subject: PATH, ...refusal }];
}
