import { failpoint } from "../base/failpoint.ts";
import { errorTable } from "../core/error-table.ts";
import type { Snapshot } from "../core/source.ts";
import type { Attempt } from "./attempt.ts";

/** Names that a finding lists at most. */
const NAMED = 5;

/**
 * Copies the source's large objects under their own numbers, from where the journal stands to the last. One
 * whose number the target has used already stays as it is there, and is told.
 */
export async function copyLargeObjects(attempt: Attempt, snapshot: Snapshot): Promise<void> {
  const { settings, target, journal, journalRequest, statistics, signal } = attempt;
  let from = await journal.largeObjects(signal);
  if (from.after !== "0" && !from.done) tellOfTwoMoments(attempt);
  let isTold = false;
  while (!from.done) {
    const objects = await snapshot.largeObjects(from.after, signal);
    const there = new Set(
      await target.presentLargeObjects(
        objects.map(({ id }) => id),
        signal,
      ),
    );
    if (there.size > 0) {
      // What an earlier attempt was still committing when this one began is its own.
      const now = await journal.largeObjects(signal);
      if (now.after !== from.after || now.done) {
        from = now;
        continue;
      }
      // Told first: once it is recorded that they are done, nobody comes back to them.
      if (!isTold) tellOfKept(attempt, [...there]);
      isTold = true;
    }
    const to = { after: objects.at(-1)?.id ?? from.after, done: objects.length === 0 };
    const findings = await target.writeLargeObjects(
      {
        ...journalRequest,
        ...{ from, to, withRights: settings.migratePrivileges },
        objects: objects.filter(({ id }) => !there.has(id)),
        rest: (id) => snapshot.readLargeObject(id, signal),
      },
      signal,
    );
    for (const finding of findings) statistics.finding(finding);
    from = to;
    failpoint("load.large-objects-done");
  }
}

/** The numbers of the first that are found: there may be millions. */
function tellOfKept({ statistics }: Attempt, ids: readonly string[]): void {
  const code = "target.large_object_kept";
  statistics.finding({
    ...{ code, severity: "warning", subject: "large objects", remedy: errorTable[code].remedy },
    message: `The target has large objects with numbers of the source's, which are not copied: ${ids.slice(0, NAMED).join(", ")} and perhaps later ones.`,
  });
}

/** Nothing brings them together with what has been read since. */
function tellOfTwoMoments({ statistics }: Attempt): void {
  const code = "load.two_moments";
  statistics.finding({
    ...{ code, severity: "warning", subject: "large objects", remedy: errorTable[code].remedy },
    message: "Some large objects were read by an earlier run, the rest is read now.",
  });
}
