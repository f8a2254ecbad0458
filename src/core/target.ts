import type { ChangeBatch, ChangeEncoding } from "./change-batch.ts";
import type { SourceCollation } from "./collation.ts";
import type { MigrationError, TableOutcome } from "./error.ts";
import type { Finding } from "./finding.ts";
import type { Journal, JournalRequest, WatchedJournal } from "./journal.ts";
import type { LargeObject, LargeObjectProgress } from "./large-object.ts";
import type { MigrationPlan, TablePlan } from "./plan.ts";
import type { Position, PositionCodec } from "./position.ts";
import type { PostLoadStep } from "./post-load-step.ts";
import type { ObjectRights, RightsId } from "./rights.ts";
import type { BulkFormat, RowChunk } from "./row-chunk.ts";
import type { RowErrorPolicies } from "./row-errors.ts";
import type { RowRepair } from "./row-repair.ts";
import type { RetryRequest } from "./row-retry.ts";
import type { SchemaObject, SequenceState, TableId } from "./schema.ts";
import type { ServerMark } from "./server-mark.ts";
import type { Probed, ServerProbe } from "./server-probe.ts";
import type { Partition } from "./source.ts";
import type { AlteredTable, AlterTables } from "./table-alteration.ts";
import type { TargetSessions } from "./target-sessions.ts";

export type PrepareMode = "do-nothing" | "drop-and-create" | "truncate";

export interface TargetAssessment {
  readonly plan: MigrationPlan;
  /** What is going to be done with a table that is there. */
  readonly mode: PrepareMode;
  /** Tables of which that has been done, by key (see tableKey, source id): they are kept. */
  readonly prepared: ReadonlySet<string>;
  /** Changes are going to be applied, too. Not when left out. */
  readonly appliesChanges?: boolean;
  /** Tables are going to be loaded. Not when left out. */
  readonly loads?: boolean;
  /** Those of the source's tables. Not compared when left out. */
  readonly collations?: readonly SourceCollation[];
  /** Where the task is going to keep its records. Not looked at when left out. */
  readonly journal?: JournalRequest;
}

export interface ConvertedPlan {
  readonly plan: MigrationPlan;
  /** What does not come, or comes as something else. */
  readonly findings: readonly Finding[];
}

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
  /** The task has made types before: an enum has the labels that the stream has come to. False when left out. */
  readonly isBegun?: boolean;
}

export interface MakeObjects extends Pick<SchemaRequest, "replace"> {
  readonly objects: readonly SchemaObject[];
  /** Changes follow: what would act on them has to wait. */
  readonly replicates: boolean;
}

export interface GiveRights {
  readonly rights: readonly ObjectRights[];
  /** Stay as they are; how they differ is told. */
  readonly kept: readonly ObjectRights[];
  /** Changes follow: what their writer needs as the owner cannot be revoked yet. */
  readonly replicates: boolean;
  /** What is granted comes on top of what is there: neither owners change nor is anything revoked. */
  readonly adds?: boolean;
}

/** made: it is there now. kept: it was there. waits: it would act on rows that are replicated. */
export type ObjectOutcome = "made" | "kept" | "waits" | MigrationError;

export interface ColumnAddition {
  readonly plan: TablePlan;
  /** Ordinals into the plan's columns, each of which has a value for earlier rows (`Column.later`). */
  readonly columns: readonly number[];
}

/**
 * A database to write to. Methods may be called concurrently; each uses connections of its own. What
 * takes many tables does them in few round trips, and its outcomes are in the order of the tables; what
 * is not one table's own error is thrown.
 */
export interface Target extends TargetSessions, AsyncDisposable, Probed<ServerProbe> {
  /** How changes may be written that the applier takes, best first. */
  readonly changeEncodings: readonly ChangeEncoding[];
  /**
   * The endpoint's word on where everything goes that no schema rule and no TargetSchema sends elsewhere; left out:
   * each schema to the one of its name.
   */
  readonly onlySchema?: string | undefined;
  /**
   * Puts what comes from a database of another kind into this one's dialect: types, defaults, indexes and
   * constraints of the plan's target side. A generated column that the target cannot compute becomes an ordinary one on
   * both sides where the source sends its values (Column.sends). When the dialect is the target's own, it only names the
   * types that rules give (Column.typedByRule).
   */
  convert(plan: MigrationPlan): ConvertedPlan;
  /** Whether the target is fit to be written: read-only, grants, what stands in the way. Changes nothing. */
  assess(request: TargetAssessment, signal: AbortSignal): Promise<readonly Finding[]>;
  /**
   * Source ids of the plan's tables that are tables of the plan's target, too. None unless this is the very database in
   * which the source's mark stands, or the very server where its tables name their database.
   */
  overwritten(mark: ServerMark, plan: MigrationPlan, signal: AbortSignal): Promise<readonly TableId[]>;
  /** The task's own records in the target, which make load and apply exactly-once. */
  openJournal(request: JournalRequest, signal: AbortSignal): Promise<Journal>;
  /** The journal of a task that has records in the target, for whoever only looks at it. Changes nothing, and keeps nobody out. */
  watchJournal(request: JournalRequest, signal: AbortSignal): Promise<WatchedJournal>;
  /** What noteStart() has noted in the task's journal, if there is one. Changes nothing. */
  notedStart(request: JournalRequest, signal: AbortSignal): Promise<string | undefined>;
  /** Which of these tables, by their ids on the target, are there. */
  existingTables(tables: readonly TableId[], signal: AbortSignal): Promise<readonly TableId[]>;
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
  /** Those that are there. */
  presentObjects(rights: readonly ObjectRights[], signal: AbortSignal): Promise<readonly RightsId[]>;
  /**
   * Gives objects that are there their owners and privileges; those that have them already stay as they
   * are. Resolves with what could not be done, and why.
   */
  giveRights(request: GiveRights, signal: AbortSignal): Promise<readonly Finding[]>;
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
  /**
   * Adds columns to tables that are there, whose rows then show the value that the column had for them on the
   * source. A column that is there already stays as it is. `others`: tables of the target that are loaded and get none.
   */
  addColumns(
    additions: readonly ColumnAddition[],
    others: readonly TableId[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<undefined>[]>;
  /** Each in one transaction with what the journal has of it, so that it is done once. */
  alterTables(
    request: AlterTables,
    journal: JournalRequest,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<AlteredTable>[]>;
  /** Drops tables together, with the journal's records of them. One that is gone is fine. */
  dropTables(
    plans: readonly TablePlan[],
    journal: JournalRequest,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<undefined>[]>;
  openLoader(request: LoadRequest, signal: AbortSignal): Promise<Loader>;
  /** Which of some large objects are there. */
  presentLargeObjects(ids: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Makes large objects, in one transaction with the record of how far they have come. Resolves with what
   * of their rights could not be given. Throws `load.partition_taken` when they have come further already.
   */
  writeLargeObjects(request: WriteLargeObjects, signal: AbortSignal): Promise<readonly Finding[]>;
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
  /** For rows of the plans' tables, which are there. */
  openRepair(plans: readonly TablePlan[], signal: AbortSignal): Promise<RowRepair>;
  /** What is to be said of all rows that were committed so far, such as values that came as others. Nothing when left out. */
  findings?(): readonly Finding[];
  /** Whether a task's changes can be marked; see ApplyRequest. Changes nothing. */
  assessMarking(taskId: string, signal: AbortSignal): Promise<readonly Finding[]>;
  /** Throws `target.captured` when a stream of the target sends on what is loaded, which cannot be marked. */
  checkUncaptured(plan: MigrationPlan, signal: AbortSignal): Promise<void>;
  /** Removes what marks a task's changes, if there is anything. Changes that were marked stay so. */
  forgetMark(taskId: string, signal: AbortSignal): Promise<void>;
}

export interface LoadRequest extends JournalRequest {
  readonly plan: TablePlan;
  readonly partition: Partition;
  readonly format: BulkFormat;
  /**
   * The target is known to refuse rows of the table: what these policies say is done about each, which costs time. The
   * format is "pg-copy-text". Left out: a refused row is the table's error (MigrationError.isOfRow).
   */
  readonly screens?: RowErrorPolicies;
}

export interface Loaded {
  readonly rows: number;
  /** Rows that were passed over. None when left out. */
  readonly leftOut?: Pick<AppliedCounts, "refused" | "logged">;
}

export interface WriteLargeObjects extends JournalRequest {
  /** What the journal says before, and after. */
  readonly from: LargeObjectProgress;
  readonly to: LargeObjectProgress;
  readonly objects: readonly LargeObject[];
  /** What follows the head of one that is not whole. */
  readonly rest: (id: string) => AsyncIterable<Uint8Array>;
  readonly withRights: boolean;
}

/**
 * Writes one partition in one transaction. Disposing without finish() leaves no row of it behind;
 * finish() commits the rows together with the partition's completion in the journal. A crash of the
 * target may take both back, unless something that was recorded in the journal later has become durable.
 */
export interface Loader extends AsyncDisposable {
  /** Resolves when the next chunk may be written; that is the whole of back-pressure. */
  write(chunk: RowChunk): Promise<void>;
  finish(): Promise<Loaded>;
}

export interface ApplyRequest extends JournalRequest {
  readonly plan: MigrationPlan;
  /** Of the source's log; that of the target's own kind of log when left out. */
  readonly positions?: PositionCodec;
  /** What is applied is marked as brought by replication, for streams that send only what was made there. False when left out. */
  readonly marks?: boolean;
  /** Left out: conflicts are recorded and a refused row is its table's error. */
  readonly rowErrors?: RowErrorPolicies;
  /**
   * The target is known to refuse rows: changes are applied so that those can be found and passed over, which costs a
   * little. Without it, and where `rowErrors` does not have them recorded, one ends the applier with an error of its
   * table (MigrationError.isOfRow). False when left out.
   */
  readonly screens?: boolean;
  /**
   * What is tried again are rows of a load, in tables that may be in use by now: foreign keys act on them as on anybody's, a
   * row that is in the way is an error like any other, and they are limited and recorded as rows of a load are. False when
   * left out.
   */
  readonly isOfLoad?: boolean;
  readonly groupLimits?: GroupLimits | undefined;
}

/**
 * How much of what has gathered is committed together, at most; what the applier takes at most by itself when left out.
 * A transaction is whole, whatever its size.
 */
export interface GroupLimits {
  readonly changes?: number | undefined;
  readonly bytes?: number | undefined;
}

/** What is to be done with a table's ops of one transaction. */
export const ApplyMode = {
  /** Its snapshot held them already, or the table is suspended. */
  skip: 0,
  /** Each op finds the row as the source had it; anything else is a conflict and is reported. */
  exact: 1,
  /**
   * Some rows were read from a later snapshot than others, or it is not known whether the target has them
   * (ChangeBatch.converging): ops may find their work done. Insert overwrites, update inserts what is missing,
   * delete of nothing is fine. An update that finds no row and lacks a value fails with `apply.row_incomplete`
   * (table scope): the table is loaded again.
   */
  converge: 2,
  /** Rows that are tried again (RetryRequest): inserts and deletes like converge, of rows of the same key to the byte. */
  restore: 3,
} as const;
export type ApplyMode = (typeof ApplyMode)[keyof typeof ApplyMode];

/**
 * Applies batches in order. Target transactions contain whole source transactions, never parts of
 * one, and each commits the position of the last one in the journal: a crash loses nothing and
 * repeats nothing. A commit may become durable only later: a crash of the target may take back the last
 * commits, rows and position together, so nothing may rely on one before onDurable has told it.
 * Several transactions may be applied by the net effect of their changes for each key. After an error the
 * applier is of no use: dispose it and open another; the journal's applied position says where to go on. A
 * table's failure carries scope "table" and its id.
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
  /**
   * Tries rows again that were passed over, in one transaction: what is recorded of them is removed, the batches are applied,
   * and what is refused is recorded anew. Durable when it resolves. Only when nothing is under way, as after flush(). Throws
   * `apply.triggers_act` where foreign keys are to act (ApplyRequest.isOfLoad) and triggers cannot be kept from it, too; then
   * nothing has happened, and the applier goes on.
   */
  retry(request: RetryRequest): Promise<void>;
  /** Called for each target commit, in order: others see its rows now; and where nothing is to be changed up to a position. */
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
  /** Found no row, or one in their way. */
  conflicts: number;
  /** Left out because the target refused them. */
  refused: number;
  /** Those of both that the log is to tell of. */
  logged: number;
}
