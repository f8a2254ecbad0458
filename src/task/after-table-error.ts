import { MigrationError } from "../core/error.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { Position, PositionCodec } from "../core/position.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import { type Attempt, AttemptOutdated } from "./attempt.ts";
import { markForReload } from "./preparation.ts";
import { isPlanOutdated } from "./run-schema-changes.ts";

/**
 * One table's failure sets that table aside; the next attempt goes on with the others from where they were, or passes
 * over the rows that the target refuses. Rethrows what is not one table's, or what no other attempt would mend.
 * `asideAtStart`: keys of the tables that were set aside when the attempt began.
 */
export async function afterTableError(
  attempt: Attempt,
  thrown: unknown,
  asideAtStart: ReadonlySet<string>,
): Promise<"again"> {
  const { errors, journal, source, settings, statistics, screening, tornReads, signal } = attempt;
  if (thrown instanceof AttemptOutdated && !signal.aborted) return "again";
  if (!(thrown instanceof MigrationError) || thrown.table === undefined || signal.aborted) throw thrown;
  if (thrown.code === "source.table_changed" && (await isPlanOutdated(attempt, thrown.table))) return "again";
  if (screening.takes(thrown) && thrown.code === "apply.rejected" && !screening.changes) {
    screening.changes = true;
    return "again";
  }
  const key = tableKey(thrown.table);
  if (errors.isSuspended(thrown.table)) {
    // Set aside while changes of it were under way: the next attempt skips them.
    if (errors.escalated || asideAtStart.has(key)) throw thrown;
    return "again";
  }
  if (thrown.code === "apply.row_incomplete") {
    const known = (await journal.tables(signal)).find((table) => tableKey(table.id) === key);
    if (known === undefined) throw thrown;
    // Rows that must stay cannot be told from those that would come again, nor may loaded ones come back to the source.
    const mayComeAgain = !known.keepsRows && !settings.preventsLoops;
    const torn = isTorn(known, await journal.appliedPosition(signal), source.positions);
    if (mayComeAgain && (!torn || tornReads.grant(known.id))) {
      await markForReload(attempt, [known]);
      statistics.reloading(known.id);
      return "again";
    }
    if (torn) {
      await errors.handle(known.id, notExact(known.id), signal);
      return "again";
    }
  }
  await errors.handle(thrown.table, thrown, signal);
  return "again";
}

/** Whether the rows of a table show some of the changes that are still to be applied, and it is not known which. */
export function isTorn(
  { partitions }: Pick<JournaledTable, "partitions">,
  applied: Position | undefined,
  positions: PositionCodec,
): boolean {
  const isPast = (upTo: Position): boolean =>
    applied !== undefined && (positions.compare(applied, upTo) ?? -1) >= 0;
  return partitions.some(({ upTo }) => upTo !== undefined && !isPast(upTo));
}

function notExact(id: TableId): MigrationError {
  return new MigrationError("source.snapshot_not_exact", {
    message:
      "The table was changed whenever a snapshot began, and which of these changes its rows show is not known.",
    subject: displayTable(id),
    table: id,
  });
}
