import { MigrationError } from "../core/error.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { Position } from "../core/position.ts";
import type { SnapshotWindow, TableRules } from "../pipeline/apply-modes.ts";
import type { Attempt } from "./attempt.ts";
import { streamMissing } from "./run-load.ts";

/**
 * Where the target stands. The source never lets go of what lies behind that by Tideway's doing: if it has, the
 * target was set back to an earlier state or somebody else has read the task's log, and changes are gone.
 */
export async function startPosition(attempt: Attempt): Promise<Position> {
  const { spec, journal, source, streamRequest, signal } = attempt;
  const applied = await journal.appliedPosition(signal);
  const kept = await source.findStream({ ...streamRequest, applied }, signal);
  if (kept === undefined) throw streamMissing(attempt);
  if (applied !== undefined && source.positions.compare(kept, applied) === 1) {
    throw new MigrationError("source.position_unavailable", {
      message: `The source keeps changes from ${kept.text} on, but the target stands at ${applied.text}.`,
      subject: spec.name,
      remedy:
        "The target was set back or something else has read the task's log: start the task with reload-target.",
    });
  }
  return applied ?? kept;
}

/** Between which positions the partitions of a table were read; undefined when it was not loaded. */
export function snapshotWindow(table: JournaledTable, rules: TableRules): SnapshotWindow | undefined {
  let oldest: Position | undefined;
  let newest: Position | undefined;
  for (const { snapshot, upTo = snapshot } of table.partitions) {
    if (snapshot === undefined || upTo === undefined) continue;
    if (oldest === undefined || rules.reaches(oldest, snapshot)) oldest = snapshot;
    if (newest === undefined || rules.reaches(upTo, newest)) newest = upTo;
  }
  return oldest === undefined || newest === undefined ? undefined : { oldest, newest };
}
