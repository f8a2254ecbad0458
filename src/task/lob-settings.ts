import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import { passesOver } from "../core/row-errors.ts";
import type { Source } from "../core/source.ts";
import type { LobSettings } from "../mapping/columns/lob-cuts.ts";
import { cutsRows } from "../mapping/rows/row-needs.ts";
import type { TaskSettings } from "./settings.ts";

type CutPolicy = Pick<TaskSettings, "lobs" | "cutValues">;
type EndpointWord = Pick<Source, "failsAtCuts">;

/** What the settings come to for rules about large objects, the source's endpoint's among them. */
export function lobSettings(settings: CutPolicy, source: EndpointWord): LobSettings {
  const refusesCuts = source.failsAtCuts === true || !passesOver(settings.cutValues);
  return { lobs: settings.lobs, refusesCuts };
}

/** Whether a value that would be cut off is an error of the task, and not of its table. */
export function stopsAtCuts({ cutValues }: Pick<TaskSettings, "cutValues">, source: EndpointWord): boolean {
  return source.failsAtCuts === true || cutValues === "stop-task";
}

/** Rows with values that are too long are not left out: of changes that follow nobody could tell which are about them. */
export function cutFindings(
  { cutValues }: Pick<TaskSettings, "cutValues">,
  { tables }: MigrationPlan,
): readonly Finding[] {
  if (cutValues !== "ignore" || !tables.some(cutsRows)) return [];
  const code = "settings.unsupported";
  const subject = "ErrorBehavior.DataTruncationErrorPolicy";
  const message = `The task setting ${subject} asks for something that this version does not do: rows with values that are cut off are not left out.`;
  const remedy =
    "Use LOG_ERROR, by which such rows come with the values cut off, or SUSPEND_TABLE or STOP_TASK.";
  return [{ code, severity: "error", subject, message, remedy }];
}
