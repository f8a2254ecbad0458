import type { LargeObjectProgress } from "./large-object.ts";
import type { Position } from "./position.ts";
import type { RightsId } from "./rights.ts";
import type { TableId } from "./schema.ts";
import type { Partition, Snapshot } from "./source.ts";
import type { ShapedTable, TableShape } from "./table-shape.ts";
import type { ValidationFailure, ValidationFailureKind } from "./validation-failure.ts";

/** Control tables that a task has only when it is asked for. */
export type OptionalControlTable =
  | "awsdms_full_load_exceptions"
  | "awsdms_history"
  | "awsdms_status"
  | "awsdms_validation_failures_v1";

export interface JournalRequest {
  readonly taskId: string;
  /** Where the control tables live; undefined for the engine's default. */
  readonly controlSchema: string | undefined;
  /** None when left out. */
  readonly optionalTables?: readonly OptionalControlTable[];
}

/** Where an applier records what it passes over; see ApplyRequest.isOfLoad. */
export function exceptionTable(
  request: JournalRequest & { readonly isOfLoad?: boolean },
): ReturnType<typeof loadExceptionTable> {
  return request.isOfLoad === true ? loadExceptionTable(request) : "awsdms_apply_exceptions";
}

/** Where rows that a full load passes over are recorded. */
export function loadExceptionTable({
  optionalTables,
}: JournalRequest): "awsdms_full_load_exceptions" | "awsdms_apply_exceptions" {
  const name = "awsdms_full_load_exceptions";
  return optionalTables?.includes(name) === true ? name : "awsdms_apply_exceptions";
}

/**
 * What has happened to a task, kept in the target's control tables beside the rows it speaks of, so
 * that after any crash the two agree. Loader and Applier write into it in the transaction of the
 * rows; everything else goes through these methods, each atomic and durable when it resolves. Where a target's
 * commits do not wait for its disk, at least what others must agree with is durable: positions, the log and the
 * start that are noted, and that a task is forgotten.
 */
export interface Journal extends AsyncDisposable {
  tables(signal: AbortSignal): Promise<readonly JournaledTable[]>;
  /** Replaces all that is known of the tables; their earlier partitions are forgotten. */
  planTables(tables: readonly PlannedTable[], signal: AbortSignal): Promise<void>;
  /** Gives the unfinished partitions of tables the place of a new snapshot. */
  moveSnapshot(tables: readonly TableId[], snapshot: SnapshotPlace, signal: AbortSignal): Promise<void>;
  setTableStates(tables: readonly TableId[], change: StateChange, signal: AbortSignal): Promise<void>;
  /** Notes what tables were when the target was made to follow them; those not known yet count as ready. */
  setShapes(tables: readonly ShapedTable[], signal: AbortSignal): Promise<void>;
  /** Notes of tables that are known whether all of their rows have been compared as they are; see JournaledTable. */
  setCompared(tables: readonly TableId[], isCompared: boolean, signal: AbortSignal): Promise<void>;
  /** What keeps its owner and privileges: was there before the task, or has got its own; undefined until it is noted. */
  keptObjects(signal: AbortSignal): Promise<readonly RightsId[] | undefined>;
  /** Takes back what keepObjects() has noted of some. */
  releaseObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void>;
  /** Adds to them. */
  keepObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void>;
  /** How far large objects have been copied. */
  largeObjects(signal: AbortSignal): Promise<LargeObjectProgress>;
  /** What the tables of exceptions hold of rows and changes that were passed over, by the key of the target's table. */
  recordedErrors(signal: AbortSignal): Promise<ReadonlyMap<string, RecordedErrors>>;
  /** What is recorded of rows of a target's table that were passed over, in the order of the ids. */
  exceptions(request: RecordsRequest, signal: AbortSignal): Promise<readonly RecordedException[]>;
  /** How many records there are of each error code, for each table of the target that has some. */
  recordedCodes(signal: AbortSignal): Promise<readonly RecordedCodes[]>;
  /** The source's log that the positions are of; undefined until it is noted. */
  sourceLog(signal: AbortSignal): Promise<string | undefined>;
  setSourceLog(log: string, signal: AbortSignal): Promise<void>;
  appliedPosition(signal: AbortSignal): Promise<Position | undefined>;
  /** For a stream that starts without an applied change yet. */
  setAppliedPosition(position: Position, signal: AbortSignal): Promise<void>;
  /** Notes that rows may come of the start of that name; see TaskSpec.startId. */
  noteStart(startId: string, signal: AbortSignal): Promise<void>;
  /** Notes that the task only compares: it brings no rows, and its positions say nothing of what the target has. */
  noteOnlyCompares(signal: AbortSignal): Promise<void>;
  /** Forgets tables, by the source's ids, and what is recorded of rows of those of the target. */
  forgetTables(tables: readonly ForgottenTable[], signal: AbortSignal): Promise<void>;
  /** Shows people how the task is, in awsdms_status and awsdms_history. The tables must be there (JournalRequest). */
  report(report: TaskReport, signal: AbortSignal): Promise<void>;
  /**
   * Records rows that differ, in awsdms_validation_failures_v1, which must be there (JournalRequest). What was recorded of
   * a row with the same key before is replaced; rows without one are added. Many are recorded in several transactions.
   */
  addValidationFailures(failures: readonly ValidationFailure[], signal: AbortSignal): Promise<void>;
  /** Removes what is recorded of rows of a target's table with these keys; undefined: all that is recorded of the table. */
  removeValidationFailures(
    table: TableId,
    keys: readonly (readonly string[])[] | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** How many rows are recorded as different, by the key of the target's table; those with none are left out. */
  countValidationFailures(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  /** What is recorded of rows of a target's table that differ, in the order of the ids; nothing about the table as a whole. */
  differences(request: RecordsRequest, signal: AbortSignal): Promise<readonly RecordedDifference[]>;
  /** In which way rows are recorded as different, for each table of the target that has some. */
  differenceKinds(signal: AbortSignal): Promise<readonly RecordedKinds[]>;
  /** Removes everything about this task; control tables stay. */
  forget(signal: AbortSignal): Promise<void>;
}

/** A table that a task has no more. */
export interface ForgottenTable {
  /** The source's id. */
  readonly source: TableId;
  readonly target: TableId;
}

/** How a table is by a task's journal. */
export interface WatchedTable {
  /** The source's. */
  readonly id: TableId;
  readonly state: JournaledState;
  /** Another text whenever the journal is told of the table: of its state, its partitions, or what it looks like. */
  readonly told: string;
}

/** What a task's journal says to somebody who does not work on the task. */
export interface WatchedJournal {
  /** The source's ids of the task's tables, when the watch began. */
  readonly tables: readonly TableId[];
  /** Whether the task only compares; see Journal.noteOnlyCompares. */
  readonly onlyCompares: boolean;
  /** The task's tables as they are now. */
  watched(signal: AbortSignal): Promise<readonly WatchedTable[]>;
  /** The log that positions are of; undefined where it was not noted. */
  readonly log: string | undefined;
  /** Up to where the target has the source's changes now; undefined for none. */
  applied(signal: AbortSignal): Promise<Position | undefined>;
}

/** How many rows and changes of a table were passed over and recorded, in transactions that have committed. */
export interface RecordedErrors {
  /** Changes that found another row than they should. */
  readonly conflicts: number;
  /** Rows and changes that the target has refused. */
  readonly refused: number;
  /** Of those, rows of a full load. */
  readonly loaded: number;
}

export interface RecordsRequest {
  /** The target's. */
  readonly table: TableId;
  /** The id after which those begin that are wanted; undefined for all. */
  readonly after: string | undefined;
  /** So many at most. */
  readonly limit: number;
}

export interface RecordedCodes {
  /** The target's. */
  readonly table: TableId;
  readonly codes: ReadonlyMap<string, number>;
}

/** What is recorded of a row or change that was passed over, once or several times in the same words. */
export interface RecordedException {
  /** Made of what is recorded: records that are the same have one, and are removed together. */
  readonly id: string;
  /** How many records it has of changes that found another row than they should, and of refused ones. */
  readonly conflicts: number;
  readonly refused: number;
  /** The columns that name the row, by the source's names, and again for the key that an update has given it. */
  readonly keys: readonly Readonly<Record<string, string | null>>[];
  /** The change has taken its row from the first key: a delete, or an update that gives it another. */
  readonly leaves: boolean;
}

/** What is recorded of a row that differs; of rows without a key all that is recorded of them. */
export interface RecordedDifference {
  /** Made of what is recorded of the key, in an order of its own. */
  readonly id: string;
  /** How many records there are: several only of rows without a key. */
  readonly records: number;
  /** What names the row, as the target is asked for it; undefined without a key, and for one too long to be recorded. */
  readonly key: readonly string[] | undefined;
}

export interface RecordedKinds {
  /** The target's. */
  readonly table: TableId;
  /** How many rows; none of a kind that is left out. */
  readonly kinds: ReadonlyMap<ValidationFailureKind, number>;
  /** How many of them no key is known of. */
  readonly unnamed: number;
}

/** DMS's words for what a task does. */
export type ReportedWork = "FULL LOAD" | "CHANGE PROCESSING" | "NOT RUNNING";

/** What the control tables say of a task. Times are milliseconds of the day's clock; undefined becomes NULL. */
export interface TaskReport {
  readonly status?: TaskStatus;
  readonly slots?: readonly HistorySlot[];
}

export interface TaskStatus {
  readonly work: ReportedWork;
  readonly atMs: number;
  /** Changes that the source has sent and the target has not committed. */
  readonly pendingChanges: number;
  /** MB of the process that runs the task. */
  readonly memoryMb: number;
  /** Up to where the target holds everything for good. */
  readonly checkpoint: string | undefined;
  /** When the newest transaction that the target holds committed on the source. */
  readonly appliedMs: number | undefined;
}

/** What a task did in a stretch of time. A slot that is told again replaces what was told of it. */
export interface HistorySlot {
  readonly work: ReportedWork;
  readonly endMs: number;
  readonly minutes: number;
  /** Seconds from commit to commit; undefined for a full load. */
  readonly latencyS: number | undefined;
  readonly records: number;
  /** MB of rows; undefined for changes, whose volume is not measured. */
  readonly volumeMb: number | undefined;
}

/**
 * planned without partitions: the table is about to be prepared. prepared: it exists and has no rows of
 * the source that count. planned with partitions: none or some of them are loaded. loaded: all rows are
 * there. ready: keys, indexes and constraints too. suspended: set aside.
 */
export type JournaledState = "planned" | "prepared" | "loaded" | "ready" | "suspended";

export interface StateChange {
  readonly state: JournaledState;
  /** Why a table was set aside: an error's code and message. */
  readonly reason?: string;
}

/** Which changes rows hold that were read from a snapshot. */
export type SnapshotPlace = Pick<Snapshot, "position" | "upTo">;

export interface PlannedTable {
  /** The source's id of the table. */
  readonly id: TableId;
  /** Tideway creates it; a table that was there gets nothing added to it, no key and no index. */
  readonly created: boolean;
  /** It held rows before the task that must stay: it is never emptied. False when left out. */
  readonly keepsRows?: boolean;
  /**
   * The target's table, when all of its rows come anew: what was recorded of rows that were passed over, or that differ,
   * is removed.
   */
  readonly clears?: TableId | undefined;
  /** "planned" when left out. */
  readonly state?: "planned" | "prepared";
  /** What the source's table was when it was planned, which is what is read of it. */
  readonly shape?: TableShape | undefined;
  readonly snapshot: Position | undefined;
  /** See Snapshot.upTo. */
  readonly upTo?: Position | undefined;
  readonly partitions: readonly Partition[];
}

export interface JournaledTable {
  readonly id: TableId;
  readonly created: boolean;
  readonly keepsRows: boolean;
  readonly state: JournaledState;
  readonly reason: string | undefined;
  readonly shape: TableShape | undefined;
  /**
   * Both sides were compared whole, and no change has come since whose rows have not been compared. False again for a table
   * that is planned anew or set aside, and when left out.
   */
  readonly isCompared?: true;
  readonly partitions: readonly JournaledPartition[];
}

export interface JournaledPartition {
  readonly partition: Partition;
  readonly snapshot: Position | undefined;
  /** See Snapshot.upTo. */
  readonly upTo?: Position | undefined;
  readonly done: boolean;
  readonly rows: number;
}
