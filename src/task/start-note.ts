import type { JournalRequest } from "../core/journal.ts";
import type { Target } from "../core/target.ts";
import type { Attempt } from "./attempt.ts";
import type { TaskSpec } from "./task.ts";

/*
 * Whoever starts a task hears of what it does later than it is done, and may start it anew after a crash although rows
 * have come already: twice, then, where the target's rows are kept. So the journal, which stands beside the
 * rows, says which start they came of, from before the first of them; and from before the first table that is made, of
 * which nobody else could tell who has made it.
 */

/** Whether tables or rows may have come of this very start. */
export async function hasBegun(
  { startId }: TaskSpec,
  { target, journal }: { readonly target: Target; readonly journal: JournalRequest },
  signal: AbortSignal,
): Promise<boolean> {
  return startId !== undefined && (await target.notedStart(journal, signal)) === startId;
}

/** To be called before anything is made, and before rows come, by the load or by the stream. */
export async function noteStart({ spec, journal, signal }: Attempt): Promise<void> {
  if (spec.startId !== undefined) await journal.noteStart(spec.startId, signal);
}

/**
 * Forgets what earlier runs have left. The journal first: without it a stream that is left over does no harm, the other
 * way round it would. Then the start is noted, before anything is made: tables that a journal does not know count as
 * somebody else's, and get no keys.
 */
export async function beginAnew(attempt: Attempt): Promise<void> {
  const { spec, source, journal, streamRequest, signal } = attempt;
  await journal.forget(signal);
  if (spec.type !== "full-load") await source.dropStream(streamRequest, signal);
  await noteStart(attempt);
}
