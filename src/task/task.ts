import type { EndpointConfig } from "../core/engine.ts";
import type { ErrorRecord } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { TableId } from "../core/schema.ts";
import type { MigrationType } from "../core/source.ts";
import type { ValidationFailureKind, ValidationState } from "../core/validation-failure.ts";

/** All that a worker needs to run a task. Plain data: it travels to another process. Holds passwords. */
export interface TaskSpec {
  /**
   * Stable over restarts and unique per source and target server; lower-case letters, digits and
   * underscores, at most 40 characters: it names the slot, the publication and the journal's rows.
   */
  readonly id: string;
  /** The name people gave it. */
  readonly name: string;
  readonly type: MigrationType;
  readonly source: EndpointConfig;
  readonly target: EndpointConfig;
  /** DMS table-mappings document, JSON text. */
  readonly tableMappings: string;
  /** DMS task settings document, JSON text, any subset. */
  readonly settings: string;
  readonly start: StartMode;
  /**
   * Tells a start that begins anew from the task's earlier ones: asked for again, once rows may have come of it, it
   * goes on instead. undefined begins anew each time.
   */
  readonly startId: string | undefined;
  /** Native position for cdc tasks; undefined starts now. */
  readonly cdcStartPosition: string | undefined;
  /** `server_time:…`, `commit_time:…` or a native position; the task stops by itself there. */
  readonly cdcStopPosition: string | undefined;
  /** Stop by itself once the stream has nothing more that was committed before this was seen. */
  readonly untilCaughtUp: boolean;
  /** Rows that are recorded are to be brought as soon as that can be. No when left out. */
  readonly retry?: RetryWish | undefined;
}

/** DMS's StartReplicationTaskType. */
export type StartMode = "start-replication" | "resume-processing" | "reload-target";

/** The phases of a run, in the order in which they occur. */
export type TaskPhase =
  | "starting"
  | "assessing"
  | "preparing"
  | "full-load"
  | "building"
  | "validating"
  | "catching-up"
  | "replicating"
  | "stopping";

/** DMS's TableState values that a running task reports. */
export type TableState =
  | "Before load"
  | "Full load"
  | "Table completed"
  | "Table error"
  | "Table is being reloaded";

export interface TableProgress {
  /** The source's id. */
  readonly id: TableId;
  readonly state: TableState;
  /** What is being done beyond `state`: the index being built, the reason of an error. */
  readonly activity: string | undefined;
  readonly error: ErrorRecord | undefined;
  readonly fullLoadRows: number;
  readonly fullLoadBytes: number;
  /** Rows that the target has refused and that were left out, in earlier runs, too: the target has a record of them. */
  readonly fullLoadErrorRows: number;
  /** -1 when the source has no estimate. */
  readonly estimatedRows: number;
  readonly fullLoadStartMs: number | undefined;
  readonly fullLoadEndMs: number | undefined;
  readonly reloaded: boolean;
  /** The greatest number of a wish to load it again that is answered: it is to be loaded, or an error or finding says why not. */
  readonly reloadAnswered?: number | undefined;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly ddls: number;
  /** Counted when the target has answered: a commit whose answer was lost with its connection is not in them. */
  readonly appliedInserts: number;
  readonly appliedUpdates: number;
  readonly appliedDeletes: number;
  readonly appliedDdls: number;
  /** Changes that found another row than they should: as many as the target has recorded. */
  readonly conflicts: number;
  /** The same of changes that the target has refused and that were left out. */
  readonly refused: number;
  /** Values that were cut off, of changes when these are taken: those that another worker is sent again count again. */
  readonly cutValues: number;
  /** Changes that the source has sent and that are neither applied nor passed over; below 0 after cascades. */
  readonly pendingChanges: number;
  readonly lastUpdateMs: number;
  /** How far it is compared with the source's, if the task does that. */
  readonly validation?: TableValidationProgress | undefined;
  /** Like reloadAnswered, of wishes to compare it anew. */
  readonly revalidationAnswered?: number | undefined;
}

/** How a table's validation is. Records are rows. */
export interface TableValidationProgress {
  readonly state: ValidationState;
  /** To be compared, as far as they are known. */
  readonly pending: number;
  /** That differ: as many as the target has recorded. */
  readonly failed: number;
  /** That cannot be compared. */
  readonly suspended: number;
  /** Why it is in this state: for people, and without values of rows. */
  readonly details?: string | undefined;
  /** How far the whole table is compared; left out when that is not being done. */
  readonly rowsCompared?: number | undefined;
  /** -1 when nobody knows. */
  readonly rowsToCompare?: number | undefined;
}

export interface TaskProgress {
  readonly phase: TaskPhase;
  readonly tables: readonly TableProgress[];
  readonly startedMs: number;
  readonly fullLoadStartMs: number | undefined;
  readonly fullLoadEndMs: number | undefined;
  /** 0 to 100. */
  readonly fullLoadPercent: number;
  /** undefined while unknown. */
  readonly fullLoadSecondsLeft: number | undefined;
  /** Checkpoint text that can be fed back as CDC start position. */
  readonly recoveryCheckpoint: string | undefined;
  /** When the newest transaction that the target holds committed on the source; undefined before the first of a run. */
  readonly appliedMs?: number | undefined;
  readonly lag: LagProgress | undefined;
  /** undefined while nothing of the source's log is kept for the task, or that was not asked yet. */
  readonly log: LogProgress | undefined;
  /** What has become of the last wish to bring recorded rows. None when left out. */
  readonly retry?: RetryProgress | undefined;
}

/** What of the source's log the target does not hold for good yet, and what the source keeps for the task, in bytes. */
export interface LogProgress {
  readonly behindBytes: number;
  readonly keptBytes: number;
}

/**
 * Times between commit on the source and commit on the target, in milliseconds of the two clocks.
 * Percentiles and maximum are of the transactions since the task first caught up, or of all before
 * it has; the counts are of all.
 */
export interface LagProgress {
  readonly currentMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The source's log tells commits in steps of so many milliseconds: every lag is so much too long at the most. */
  readonly resolutionMs: 1 | 1000;
  readonly transactions: number;
  readonly changes: number;
}

/** DMS's stop reasons without the literal prefix `Stop Reason `. */
export type StopReason =
  | "NORMAL"
  | "RECOVERABLE_ERROR"
  | "FATAL_ERROR"
  | "FULL_LOAD_ONLY_FINISHED"
  | "STOPPED_AFTER_FULL_LOAD"
  | "STOPPED_AFTER_CACHED_EVENTS"
  | "STOPPED_AT_SERVER_TIME"
  | "STOPPED_AT_COMMIT_TIME";

export interface TaskOutcome {
  readonly state: "stopped" | "failed";
  readonly stopReason: StopReason;
  readonly error: ErrorRecord | undefined;
  readonly suspendedTables: readonly TableId[];
  readonly progress: TaskProgress;
}

/** What a runner tells whoever started it. Calls are cheap and never throw. */
export interface TaskListener {
  /** A few times a second while something changes, and at each change of phase. */
  progress(progress: TaskProgress): void;
  finding(finding: Finding): void;
  /** A constant lower-case message with data in fields. Never row values. */
  log(
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ): void;
}

/** That a table be loaded again, or only be compared anew. */
export interface ReloadWish extends TableId {
  readonly validateOnly?: true;
  /** Greater than that of every earlier wish of the task; progress tells by it which are answered. Nobody asks when left out. */
  readonly number?: number;
}

/** That rows be brought as the source has them: those that were passed over, or those that differ. */
export interface RetryWish {
  /** Greater than that of every earlier wish of the task. */
  readonly number: number;
  /** Rows that the task's validation has recorded; those that were passed over when left out. */
  readonly of?: "differences" | undefined;
  /** Nothing is brought: it is only told what there is. */
  readonly looksOnly?: boolean | undefined;
  /** Of these tables; undefined for all that have some. */
  readonly tables: readonly TableId[] | undefined;
}

export interface RetryProgress {
  /** Of the wish. */
  readonly number: number;
  readonly state: "waiting" | "running" | "done" | "failed";
  /** Why nothing more is tried, when it has failed. */
  readonly error: ErrorRecord | undefined;
  readonly tables: readonly RetriedTable[];
}

export interface RetriedTable {
  /** The source's id; the target's of a table that is no part of the task any more. */
  readonly id: TableId;
  /** Records that there were at the beginning. */
  readonly recorded: number;
  /** How many of them are of rows that differ in which way; of a wish about such alone. */
  readonly kinds?: Readonly<Partial<Record<ValidationFailureKind, number>>> | undefined;
  /** Records that are gone because their rows are now as on the source. */
  readonly settled: number;
  /** Records that are left; while it runs those that have not been tried yet are among them. */
  readonly left: number;
  /** Of those as many as could not be tried. */
  readonly untried: number;
  /** Why they could not. */
  readonly reason: string | undefined;
  /** How many of those that are left have each error code; known when it is done. */
  readonly codes: Readonly<Record<string, number>>;
}

/** A task being run in this process. */
export interface RunningTask {
  /** Resolves, never rejects: failure is an outcome. */
  readonly outcome: Promise<TaskOutcome>;
  /**
   * Full load and builds in flight are given up, changes are applied to a commit boundary; then the
   * outcome follows. A second call, or half a minute, gives up what is not committed too.
   */
  stop(): void;
  /** From now on behaves as `untilCaughtUp`: applies what is committed by now, then stops. */
  drain(): void;
  /** Loads the named tables again while the others go on, or compares them anew. Throws `usage.invalid` for an unknown table. */
  reloadTables(tables: readonly ReloadWish[]): void;
  /** Brings rows that are recorded as passed over, or as different, while changes go on. Progress tells what has become of it. Throws `usage.invalid` while that is under way. */
  retryErrors(wish: RetryWish): void;
}
