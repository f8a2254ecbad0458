import { failpoint } from "../base/failpoint.ts";
import type { ChangeEncoding } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import { needsText } from "../mapping/rows/row-needs.ts";
import { TableRules } from "../pipeline/apply-modes.ts";
import { ChangeApply } from "../pipeline/change-apply.ts";
import { mappedChanges } from "../pipeline/mapped-changes.ts";
import { type Attempt, NotesLost } from "./attempt.ts";
import { catchUp, replicate, streamOf, takeChanges } from "./change-run.ts";
import { snapshotWindow, startPosition } from "./change-start.ts";
import { noteFilter } from "./follow-notes.ts";
import { openBoth } from "./open-sides.ts";
import { copySequences, finishBuilds, publishedTables } from "./run-load.ts";
import { rememberTables, SchemaWatch } from "./run-schema-changes.ts";
import { noteStart } from "./start-note.ts";
import { type ChangeControl, Steering } from "./steering.ts";
import type { StopReason } from "./task.ts";
import { ValueFindings } from "./tell-values.ts";

/** Every applier takes it. */
const TEXT: readonly ChangeEncoding[] = ["text"];

/**
 * Applies changes from where the journal stands until something ends it. First up to the newest
 * snapshot, so that all tables show one moment and constraints can be built; then up to the end of
 * the log as it is now; then as changes come.
 */
export async function runChanges(attempt: Attempt, control: ChangeControl): Promise<StopReason> {
  const { spec, settings, source, target, plan, journal, statistics, errors, signal } = attempt;
  const after = await startPosition(attempt);
  const rules = new TableRules(source.positions, (table) => errors.isSuspended(table));
  for (const table of await journal.tables(signal)) {
    const window = snapshotWindow(table, rules);
    if (window !== undefined) rules.setWindow(table.id, window);
  }
  await rememberTables(attempt);
  if (attempt.validation === undefined) await forgetCompared(attempt);
  await attempt.validation?.begin(attempt);
  const reloads = new Set<readonly TableId[]>();
  const takes = attempt.notes.kept ? noteFilter(attempt, rules, () => reloads.size === 0) : undefined;
  const isText = plan.tables.some(needsText) || attempt.validation !== undefined;
  const encodings = isText ? TEXT : target.changeEncodings;
  await using sides = new AsyncDisposableStack();
  const [applier, given] = await openBoth(
    sides,
    target.openApplier(
      {
        ...{ ...attempt.journalRequest, plan, positions: source.positions, marks: settings.preventsLoops },
        ...{ rowErrors: settings.rowErrors, screens: attempt.screening.changes },
        groupLimits: settings.groupLimits,
      },
      signal,
    ),
    source.openChangeStream(streamOf(attempt, { after, control, encodings, takes }), signal),
  );
  if (given.lacksNotes === true) throw new NotesLost();
  // What is refused may be so because its rules cannot be carried out; its changes are skipped.
  const mapped = plan.tables.filter(({ source: { id } }) => !attempt.refused.has(tableKey(id)));
  const stream = mappedChanges(given, mapped);
  const saveIdle = async (position: Position): Promise<void> => {
    await journal.setAppliedPosition(position, signal);
    failpoint("apply.idle-saved");
  };
  const { truncates } = settings;
  const { counted } = statistics;
  counted.begin(source.positions);
  const apply = new ChangeApply({
    ...{ stream, applier, rules, saveIdle, truncates },
    ...{ observer: statistics, counted, watch: attempt.validation?.watch(attempt) },
  });
  const watch = new SchemaWatch(attempt);
  const values = new ValueFindings(attempt, [stream, target, statistics]);
  await using steering = new Steering({ attempt, apply, applier, rules, control, watch, values, reloads });
  const ended = (reason: StopReason): Promise<StopReason> => endWith(reason, attempt, watch);
  const run = { attempt, control, apply, steering, ended };
  await noteStart(attempt);
  statistics.setCheckpoint(after.text);
  statistics.setPhase("catching-up");
  if (control.stopRequested) return "NORMAL";
  const beside = { ...attempt, signal: steering.signal };
  if (rules.newest !== undefined && !rules.reaches(after, rules.newest)) {
    apply.setGoal({ position: rules.newest });
    if ((await takeChanges(apply)) === "stopped") return "NORMAL";
  }
  await finishBuilds(beside);
  statistics.setPhase("catching-up");
  if (settings.stopAfterFullLoad === "cached-changes-not-applied") return "STOPPED_AFTER_FULL_LOAD";
  const early = await catchUp(run);
  if (early !== undefined) return early;
  if (settings.stopAfterFullLoad === "cached-changes-applied") {
    return await ended("STOPPED_AFTER_CACHED_EVENTS");
  }
  const isDone = control.retries.wanted === undefined && attempt.validation === undefined;
  if (spec.untilCaughtUp && isDone) return await ended("NORMAL");
  return await replicate(run);
}

/** Changes come of which nobody compares the rows: an earlier run may have had it recorded that all are compared. */
async function forgetCompared({ journal, signal }: Attempt): Promise<void> {
  const compared = (await journal.tables(signal)).filter(({ isCompared }) => isCompared === true);
  if (compared.length === 0) return;
  await journal.setCompared(
    compared.map(({ id }) => id),
    false,
    signal,
  );
}

/** All that was to be applied is: the target's sequences follow. */
async function endWith(reason: StopReason, attempt: Attempt, watch: SchemaWatch): Promise<StopReason> {
  attempt.statistics.setPhase("stopping");
  await watch.check({ takesNew: true, signal: attempt.signal });
  await attempt.source.checkStream(publishedTables(attempt), attempt.signal);
  // Where the application writes to both sides, each has its own.
  if (!attempt.settings.preventsLoops) await copySequences(attempt);
  failpoint("task.drained");
  return reason;
}
