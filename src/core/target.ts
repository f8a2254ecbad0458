import type { ChangeBatch } from "./change-batch.ts";
import type { MigrationError, TableOutcome } from "./error.ts";
import type { Finding } from "./finding.ts";
import type { MigrationPlan, TablePlan } from "./plan.ts";
import type { Position } from "./position.ts";
import type { BulkFormat, RowChunk } from "./row-chunk.ts";
import type { SchemaObject, SequenceState, TableId } from "./schema.ts";
import type { Partition } from "./source.ts";

export type PrepareMode = "do-nothing" | "drop-and-create" | "truncate";

export interface PrepareRequest {
  /** The whole plan: the table's sequences, and which other tables may lose a foreign key to this one. */
  readonly migration: MigrationPlan;
  readonly plan: TablePlan;
  readonly mode: PrepareMode;
}

export interface PreparedTable {
  /** The table was there with rows in it and mode "do-nothing" lets them stay. */
  readonly keepsRows: boolean;
}

export interface SchemaRequest {
  readonly plan: MigrationPlan;
  /** A function that is there is replaced; without this it stays as it is, as does everything else. */
  readonly replace: boolean;
}

export interface MakeObjects extends Pick<SchemaRequest, "replace"> {
  readonly objects: readonly SchemaObject[];
  /** Changes follow: what would act on them has to wait. */
  readonly replicates: boolean;
}

/** made: it is there now. kept: it was there. waits: it would act on rows that are replicated. */
export type ObjectOutcome = "made" | "kept" | "waits" | MigrationError;

/**
 * A database to write to. Methods may be called concurrently; each uses connections of its own. What
 * takes many tables does them in few round trips, and its outcomes are in the order of the tables; what
 * is not one table's own error is thrown.
 */
export interface Target extends AsyncDisposable {
  /** Whether the target is fit to be written: read-only, grants, what stands in the way. Changes nothing. */
  assess(plan: MigrationPlan, mode: PrepareMode, signal: AbortSignal): Promise<readonly Finding[]>;
  /** The task's own records in the target, which make load and apply exactly-once. */
  openJournal(request: JournalRequest, signal: AbortSignal): Promise<Journal>;
  /** Which of the plan's tables are there already, by target id. */
  existingTables(plan: MigrationPlan, signal: AbortSignal): Promise<readonly TableId[]>;
  /**
   * Schemas, types, sequences and the plan's early objects that are not there yet. Resolves with what stood
   * in the way of a type or an object; whatever does not need it goes on.
   */
  prepareSchema(request: SchemaRequest, signal: AbortSignal): Promise<readonly MigrationError[]>;
  /**
   * Drops what stands on the plan's tables and would keep them from being dropped: its views, foreign keys
   * to its partitioned tables, and those. What others need stays, and the table beneath it says so.
   */
  dropObjects(plan: MigrationPlan, signal: AbortSignal): Promise<void>;
  /** Outcomes in the order of the objects, which stand each after those that it needs. */
  makeObjects(request: MakeObjects, signal: AbortSignal): Promise<readonly ObjectOutcome[]>;
  prepareTables(
    requests: readonly PrepareRequest[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<PreparedTable>[]>;
  /** Empties a table that is to be loaded again. */
  emptyTable(plan: TablePlan, signal: AbortSignal): Promise<void>;
  /** Formats each table can be written in, best first. Asks the target for its real column types. */
  bulkFormats(
    plans: readonly TablePlan[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly BulkFormat[]>[]>;
  openLoader(request: LoadRequest, signal: AbortSignal): Promise<Loader>;
  /** What full load leaves until last, for tables Tideway created. */
  postLoadSteps(plan: TablePlan): readonly PostLoadStep[];
  /**
   * Runs steps one after the other, small ones best many at once. Each looks first whether its work is
   * done. A crash of the target may take back steps that were done, unless something that was recorded
   * in the journal after them has become durable.
   */
  runSteps(steps: readonly PostLoadStep[], signal: AbortSignal): Promise<readonly TableOutcome<undefined>[]>;
  /** Resolves with the ids of those that are not there. */
  setSequences(states: readonly SequenceState[], signal: AbortSignal): Promise<readonly TableId[]>;
  openApplier(request: ApplyRequest, signal: AbortSignal): Promise<Applier>;
}

export interface JournalRequest {
  readonly taskId: string;
  /** Where the control tables live; undefined for the engine's default. */
  readonly controlSchema: string | undefined;
}

/**
 * What has happened to a task, kept in the target's control tables beside the rows it speaks of, so
 * that after any crash the two agree. Loader and Applier write into it in the transaction of the
 * rows; everything else goes through these methods, each atomic and durable when it resolves.
 */
export interface Journal extends AsyncDisposable {
  tables(signal: AbortSignal): Promise<readonly JournaledTable[]>;
  /** Replaces all that is known of the tables; their earlier partitions are forgotten. */
  planTables(tables: readonly PlannedTable[], signal: AbortSignal): Promise<void>;
  /** Gives the unfinished partitions of tables the position of a new snapshot. */
  moveSnapshot(
    tables: readonly TableId[],
    snapshot: Position | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  setTableStates(tables: readonly TableId[], change: StateChange, signal: AbortSignal): Promise<void>;
  appliedPosition(signal: AbortSignal): Promise<Position | undefined>;
  /** For a stream that starts without an applied change yet. */
  setAppliedPosition(position: Position, signal: AbortSignal): Promise<void>;
  /** Removes everything about this task; control tables stay. */
  forget(signal: AbortSignal): Promise<void>;
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

export interface PlannedTable {
  /** The source's id of the table. */
  readonly id: TableId;
  /** Tideway creates it; a table that was there gets nothing added to it, no key and no index. */
  readonly created: boolean;
  /** It held rows before the task that must stay: it is never emptied. False when left out. */
  readonly keepsRows?: boolean;
  /** "planned" when left out. */
  readonly state?: "planned" | "prepared";
  readonly snapshot: Position | undefined;
  readonly partitions: readonly Partition[];
}

export interface JournaledTable {
  readonly id: TableId;
  readonly created: boolean;
  readonly keepsRows: boolean;
  readonly state: JournaledState;
  readonly reason: string | undefined;
  readonly partitions: readonly JournaledPartition[];
}

export interface JournaledPartition {
  readonly partition: Partition;
  readonly snapshot: Position | undefined;
  readonly done: boolean;
  readonly rows: number;
}

export interface LoadRequest extends JournalRequest {
  readonly plan: TablePlan;
  readonly partition: Partition;
  readonly format: BulkFormat;
}

/**
 * Writes one partition in one transaction. Disposing without finish() leaves no row of it behind;
 * finish() commits the rows together with the partition's completion in the journal. A crash of the
 * target may take both back, unless something that was recorded in the journal later has become durable.
 */
export interface Loader extends AsyncDisposable {
  /** Resolves when the next chunk may be written; that is the whole of back-pressure. */
  write(chunk: RowChunk): Promise<void>;
  finish(): Promise<{ readonly rows: number }>;
}

/**
 * One piece of work after a table's rows are in, as plain data. Steps of one table run in stage order;
 * within a stage in parallel. "key", "index" and "vacuum" may run as soon as the table is loaded;
 * "unique" and "foreign-key" hold only when all tables show one moment of the source, so they wait for
 * the stream to pass the newest snapshot; "analyze" comes last, for what "vacuum" came too early for.
 */
export interface PostLoadStep {
  readonly stage: PostLoadStage;
  readonly plan: TablePlan;
  readonly object: "index" | "replica-identity" | "check" | "foreign-key" | "table";
  /** The object's name, for progress and errors. */
  readonly subject: string;
  /** Steps that name a common table here would wait for each other's locks; they are not run at once. */
  readonly locks: readonly TableId[];
}

export type PostLoadStage = "key" | "index" | "vacuum" | "unique" | "foreign-key" | "analyze";

export interface ApplyRequest extends JournalRequest {
  readonly plan: MigrationPlan;
}

/** What is to be done with a table's ops of one transaction. */
export const ApplyMode = {
  /** Its snapshot held them already, or the table is suspended. */
  skip: 0,
  /** Each op finds the row as the source had it; anything else is a conflict and is reported. */
  exact: 1,
  /**
   * Some rows were read from a later snapshot than others: ops may find their work done. Insert
   * overwrites, update inserts what is missing, delete of nothing is fine. An update that finds no
   * row and lacks a value fails with `apply.row_incomplete` (table scope): the table is loaded again.
   */
  converge: 2,
} as const;
export type ApplyMode = (typeof ApplyMode)[keyof typeof ApplyMode];

/**
 * Applies batches in order. Target transactions contain whole source transactions, never parts of
 * one, and each commits the position of the last one in the journal: a crash loses nothing and
 * repeats nothing. A commit may become durable only later: a crash of the target may take back the last
 * commits, rows and position together, so nothing may rely on one before onDurable has told it.
 * Several transactions may be applied by the net effect of their changes for each key. After an error the applier is of no use: dispose it and open another; the
 * journal's applied position says where to go on. A table's failure carries scope "table" and its id.
 */
export interface Applier extends AsyncDisposable {
  /**
   * Takes a batch. `modes[t * batch.tables.length + i]` says what to do with table i in transaction
   * t; undefined means exact everywhere. Resolves when the next batch may come (back-pressure), not
   * when this one is durable.
   */
  apply(batch: ChangeBatch, modes: Uint8Array | undefined): Promise<void>;
  /** Resolves when everything whole that was taken is durable. */
  flush(): Promise<void>;
  /** Called for each target commit, in order: others see its rows now. */
  onApplied: ((progress: AppliedProgress) => void) | undefined;
  /** Called when all commits up to a position have survived whatever may happen to the target; in order. */
  onDurable: ((position: Position) => void) | undefined;
  /** Called once when work taken earlier fails between calls; apply() and flush() then throw the same. */
  onFailure: ((error: unknown) => void) | undefined;
}

export interface AppliedProgress {
  readonly position: Position;
  /** Commit times of the source transactions that were committed together (ms, source's clock). */
  readonly committedAtMs: readonly number[];
  /** Per table key (see tableKey, source id): rows applied, and ops that found no row or a row in the way. */
  readonly tables: ReadonlyMap<string, AppliedCounts>;
}

export interface AppliedCounts {
  inserts: number;
  updates: number;
  deletes: number;
  truncates: number;
  conflicts: number;
}
