import type { ChangeEncoding } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import type { NoteFilter } from "../core/schema-note.ts";
import type { ChangeStreamRequest } from "../core/source.ts";
import type { ApplyEnd, ChangeApply } from "../pipeline/change-apply.ts";
import { type Attempt, TablesUntold } from "./attempt.ts";
import { SchemaNoted } from "./follow-notes.ts";
import type { ChangeControl, Steering } from "./steering.ts";
import { goalLimit } from "./stop-rule.ts";
import type { StopReason } from "./task.ts";

/** What is asked of a stream beside what the attempt knows. */
interface AskedStream {
  readonly after: Position;
  readonly control: ChangeControl;
  readonly encodings: readonly ChangeEncoding[];
  readonly takes: NoteFilter | undefined;
}

/** The stream of an attempt's changes. */
export function streamOf(
  { settings, errors, streamRequest }: Attempt,
  { after, control, encodings, takes }: AskedStream,
): ChangeStreamRequest {
  return {
    ...{ ...streamRequest, after, aside: errors.suspended, ownOnly: settings.preventsLoops, encodings },
    until: control.stopRule.kind === "place" ? control.stopRule.place : undefined,
    ...(takes === undefined ? {} : { takes }),
  };
}

export interface ChangeRun {
  readonly attempt: Attempt;
  readonly control: ChangeControl;
  readonly apply: ChangeApply;
  readonly steering: Steering;
  /** Does what is left to be done when all that was to be taken is. */
  readonly ended: (reason: StopReason) => Promise<StopReason>;
}

/** Takes changes up to the end of the log as it is now; resolves with why the task stops, if it does. */
export async function catchUp({ attempt, ...run }: ChangeRun): Promise<StopReason | undefined> {
  const { source, errors, notes, statistics } = attempt;
  const { control, apply, steering, ended } = run;
  statistics.setPhase("catching-up");
  const position = await source.currentPosition(steering.signal);
  apply.setGoal({ ...goalLimit(control.stopRule), position });
  const end = await takeChanges(apply);
  if (end === "stopped") return "NORMAL";
  if (end === "last") return await ended("NORMAL");
  if (end === "commit-time") return await ended("STOPPED_AT_COMMIT_TIME");
  const untold = notes.awaited.filter((table) => !errors.isSuspended(table));
  if (untold.length > 0) throw new TablesUntold(untold);
  return undefined;
}

/** Takes changes as they come until something ends it. */
export async function replicate({ attempt, ...run }: ChangeRun): Promise<StopReason> {
  const { control, apply, steering, ended } = run;
  attempt.statistics.setPhase("replicating");
  apply.setGoal(goalLimit(control.stopRule));
  steering.begin();
  const end = await takeChanges(apply);
  if (end === "stopped") return "NORMAL";
  if (end === "commit-time") return await ended("STOPPED_AT_COMMIT_TIME");
  return await ended(steering.timeReached ? "STOPPED_AT_SERVER_TIME" : "NORMAL");
}

/** Takes changes up to the goal. Throws SchemaNoted before a transaction that alters tables. */
export async function takeChanges(apply: ChangeApply): Promise<Exclude<ApplyEnd, "noted">> {
  const end = await apply.run();
  if (end === "noted") throw new SchemaNoted(apply.noted!);
  return end;
}
