import type { Journal, JournaledTable } from "../core/journal.ts";
import type { Position, PositionCodec } from "../core/position.ts";
import type { Source } from "../core/source.ts";

import type { Attempt } from "./attempt.ts";
import type { TaskSpec } from "./task.ts";

export interface LogSides {
  readonly spec: TaskSpec;
  readonly source: Source;
  /** Undefined for a task that starts anew: what an earlier run has read does not count. */
  readonly journal: Journal | undefined;
  readonly journaled: readonly JournaledTable[];
}

/**
 * The name of the log that the source writes now, for a task that reads it. Throws when that is not the one which
 * holds all that the target has; see Source.followLog.
 */
export async function followLog(sides: LogSides, signal: AbortSignal): Promise<string | undefined> {
  const { spec, source, journal, journaled } = sides;
  if (spec.type === "full-load") return undefined;
  const known = await journal?.sourceLog(signal);
  const applied = await journal?.appliedPosition(signal);
  const reached = furthest([applied, ...snapshots(journaled)], source.positions);
  return await source.followLog({ taskId: spec.id, known, reached }, signal);
}

/** Rows are on the target as their snapshot showed them, also those that the applied position has not come to yet. */
function snapshots(tables: readonly JournaledTable[]): readonly (Position | undefined)[] {
  return tables.flatMap(({ partitions }) => partitions.map(({ snapshot, upTo }) => upTo ?? snapshot));
}

function furthest(positions: readonly (Position | undefined)[], codec: PositionCodec): Position | undefined {
  let last: Position | undefined;
  for (const position of positions) {
    if (position === undefined) continue;
    if (last === undefined || codec.compare(position, last) === 1) last = position;
  }
  return last;
}

/**
 * Notes the log before anything of it is read. All that the target holds is in both, the log that was noted before
 * and this one, so it does not matter at which of the two a crash leaves the journal.
 */
export async function noteLog({ journal, listener, streamRequest, signal }: Attempt): Promise<void> {
  const { log } = streamRequest;
  if (log === undefined) return;
  const known = await journal.sourceLog(signal);
  if (known === log) return;
  // Where nothing was read from the log before, it may have been any server's.
  const isHeld = known !== undefined && (await holdsPosition(journal, signal));
  await journal.setSourceLog(log, signal);
  if (isHeld) listener.log("info", "the source was promoted, going on from there", { log });
}

async function holdsPosition(journal: Journal, signal: AbortSignal): Promise<boolean> {
  if ((await journal.appliedPosition(signal)) !== undefined) return true;
  return snapshots(await journal.tables(signal)).some((position) => position !== undefined);
}
