import { MigrationError } from "../core/error.ts";
import type { JournaledState, JournaledTable } from "../core/journal.ts";
import { tableKey } from "../core/schema.ts";
import type { Attempt } from "./attempt.ts";
import { giveUpStart } from "./give-up-start.ts";

/*
 * Two tasks in opposite directions, of which one loads tables and the other reads their changes: the one that reads
 * would take the load for what somebody has written, and empty the source. Each looks for the other before it does
 * anything. They may be started together, so each looks again once it has left the mark that the other looks for: the
 * load has its tables in the journal, the reader its slot. One of the two sees the other then.
 */

const SETTLED: ReadonlySet<JournaledState> = new Set(["loaded", "ready", "suspended"]);

/**
 * Throws `target.captured` when rows that are still to be loaded would come back from the target, and empty the
 * source. `known`: what the journal says, which is nothing when it is to be forgotten: a task that is refused a new start
 * can still go on.
 */
export async function checkLoops(
  { spec, settings, plan, refused, target, signal }: Attempt,
  known: readonly JournaledTable[],
): Promise<void> {
  if (!settings.preventsLoops || spec.type !== "full-load-and-cdc") return;
  const done = new Set(known.filter(({ state }) => SETTLED.has(state)).map(({ id }) => tableKey(id)));
  const tables = plan.tables
    .filter(({ source: { id } }) => !done.has(tableKey(id)))
    .filter(({ source: { id } }) => !refused.has(tableKey(id)));
  if (tables.length > 0) await target.checkUncaptured({ ...plan, tables }, signal);
}

/**
 * Throws `source.being_loaded` when another task is to load rows into the source, which would be read as its own, and
 * gives the stream up. To be called when the stream is there and before the journal says from where on it is read:
 * a task that reads it already goes on.
 */
export async function checkLoads(attempt: Attempt): Promise<void> {
  const { spec, settings, source, journal, streamRequest, signal } = attempt;
  if (!settings.preventsLoops || spec.type === "full-load") return;
  if ((await journal.appliedPosition(signal)) !== undefined) return;
  try {
    await source.checkLoads(streamRequest, signal);
  } catch (error) {
    // The next start would take the stream for one that is read.
    if (error instanceof MigrationError && error.retry === "never") await giveUpStart(attempt);
    throw error;
  }
}
