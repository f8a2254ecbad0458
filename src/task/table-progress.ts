import type { ErrorCode, ErrorRecord } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable, RecordedErrors } from "../core/journal.ts";
import { displayTable, type TableId, type TableSchema } from "../core/schema.ts";
import type { AppliedCounts } from "../core/target.ts";
import type { TableProgress, TableValidationProgress } from "./task.ts";

/** A table's progress while it is being counted. */
export type TableTally = { -readonly [K in keyof TableProgress]: TableProgress[K] };

export type KnownTable = Pick<TableSchema, "id" | "estimatedRows" | "estimatedBytes">;

/** A table of which nothing is done at that time of day. */
export function newTally(table: KnownTable, nowMs: number): TableTally {
  return {
    id: table.id,
    state: "Before load",
    activity: undefined,
    error: undefined,
    fullLoadRows: 0,
    fullLoadBytes: 0,
    fullLoadErrorRows: 0,
    estimatedRows: table.estimatedRows,
    fullLoadStartMs: undefined,
    fullLoadEndMs: undefined,
    reloaded: false,
    inserts: 0,
    updates: 0,
    deletes: 0,
    ddls: 0,
    appliedInserts: 0,
    appliedUpdates: 0,
    appliedDeletes: 0,
    appliedDdls: 0,
    conflicts: 0,
    refused: 0,
    cutValues: 0,
    pendingChanges: 0,
    lastUpdateMs: nowMs,
  };
}

/** Of a table that is to be compared, and of which no row has been looked at. */
export const notValidated: TableValidationProgress = {
  state: "Pending validation",
  pending: 0,
  failed: 0,
  suspended: 0,
};

/** Of a table that is set aside, which its error says why: until it is loaded again, nobody looks at its rows. */
export function notComparable(validation: TableValidationProgress): TableValidationProgress {
  const { failed, suspended } = validation;
  return { state: "Table error", pending: 0, failed, suspended };
}

/** Takes over what the target knows of the table when an attempt begins. `recorded`: undefined for nothing. */
export function restoreTally(
  tally: TableTally,
  journaled: JournaledTable,
  recorded: RecordedErrors | undefined,
): void {
  recordTally(tally, recorded);
  // What was under way is sent again.
  tally.pendingChanges = 0;
  const done = journaled.partitions.filter((partition) => partition.done);
  tally.fullLoadRows = done.reduce((sum, partition) => sum + partition.rows, 0);
  const complete = done.length === journaled.partitions.length && journaled.partitions.length > 0;
  if (journaled.state === "suspended") {
    tally.state = "Table error";
    tally.error ??= recordedError(journaled);
  } else if (complete) tally.state = "Table completed";
}

/** Takes over what the target has recorded of rows that were left out; undefined for nothing. */
export function recordTally(tally: TableTally, recorded: RecordedErrors | undefined): void {
  const { conflicts, refused, loaded } = recorded ?? { conflicts: 0, refused: 0, loaded: 0 };
  tally.fullLoadErrorRows = loaded;
  tally.refused = refused - loaded;
  tally.conflicts = conflicts;
}

/** Of the load before nothing counts, and what was recorded of rows that were left out is gone. */
export function restartTally(tally: TableTally): void {
  tally.state = "Table is being reloaded";
  tally.reloaded = true;
  tally.error = undefined;
  tally.refused = 0;
  tally.conflicts = 0;
  forgetLoaded(tally);
  tally.fullLoadStartMs = undefined;
  tally.fullLoadEndMs = undefined;
}

/** What was loaded is to be loaded again. */
export function forgetLoaded(tally: TableTally): void {
  tally.fullLoadRows = 0;
  tally.fullLoadBytes = 0;
  tally.fullLoadErrorRows = 0;
  tally.cutValues = 0;
}

/** Changes that are under way to the target. */
export function addPending(tally: TableTally, counts: AppliedCounts): void {
  tally.pendingChanges += changesOf(counts);
}

/** Changes that the source has sent. */
export function addCaptured(tally: TableTally, counts: AppliedCounts): void {
  tally.inserts += counts.inserts;
  tally.updates += counts.updates;
  tally.deletes += counts.deletes;
  tally.ddls += counts.truncates;
}

/** Changes that have committed on the target. */
export function addApplied(tally: TableTally, counts: AppliedCounts): void {
  tally.appliedInserts += counts.inserts;
  tally.appliedUpdates += counts.updates;
  tally.appliedDeletes += counts.deletes;
  tally.appliedDdls += counts.truncates;
  tally.conflicts += counts.conflicts;
  tally.refused += counts.refused;
  tally.pendingChanges -= changesOf(counts) + counts.conflicts + counts.refused;
}

function changesOf({ inserts, updates, deletes, truncates }: AppliedCounts): number {
  return inserts + updates + deletes + truncates;
}

/** The journal keeps a reason as `code: message` (see TableErrors). */
function recordedError({ id, reason }: JournaledTable): ErrorRecord {
  const [, code, message] = /^([a-z]+\.[a-z_]+): (.*)$/s.exec(reason ?? "") ?? [];
  const known = code !== undefined && code in errorTable ? (code as ErrorCode) : "load.rejected";
  return {
    code: known,
    message: message ?? "The table was set aside in an earlier run.",
    remedy: errorTable[known].remedy,
    table: id,
  };
}

export function cutFinding({ id, cutValues }: Pick<TableProgress, "id" | "cutValues">): Finding {
  const were = cutValues === 1 ? "value of the table was" : "values of the table were";
  return {
    code: "mapping.value_cut",
    severity: "warning",
    subject: displayTable(id),
    table: id,
    message: `${cutValues} ${were} longer than large objects may be, and came cut off.`,
    remedy: errorTable["mapping.value_cut"].remedy,
  };
}

export function leftOutFinding(id: TableId): Finding {
  return {
    code: "apply.rows_left_out",
    severity: "warning",
    subject: displayTable(id),
    table: id,
    message: "The target refuses rows of the table, which are left out and recorded on the target.",
    remedy: errorTable["apply.rows_left_out"].remedy,
  };
}

/** Share of a table's rows that is loaded; an estimate that was too low shows as nearly done. */
export function loadedShare(table: TableProgress): number {
  if (table.state === "Table completed" || table.state === "Table error") return 1;
  if (table.estimatedRows <= 0) return 0;
  return Math.min(0.99, table.fullLoadRows / table.estimatedRows);
}
