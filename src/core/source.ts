import type { AuditQuestion } from "./audit.ts";
import type { ChangeEncoding, StreamItem } from "./change-batch.ts";
import type { SourceCollation } from "./collation.ts";
import type { TableOutcome } from "./error.ts";
import type { Finding } from "./finding.ts";
import type { LargeObject } from "./large-object.ts";
import type { LockWait } from "./lock-wait.ts";
import type { ParallelLoad, RowFilter } from "./plan.ts";
import type { Position, PositionCodec } from "./position.ts";
import type { BulkFormat, RowChunk } from "./row-chunk.ts";
import type { BucketChoice } from "./row-digest.ts";
import type { RowNumbers } from "./row-numbers.ts";
import type { Catalog, SequenceState, TableId, TableSchema } from "./schema.ts";
import type { KeptNotes, NoteFilter, NoteKeeping, SchemaNote } from "./schema-note.ts";
import type { ServerMark } from "./server-mark.ts";
import type { Probed, SourceProbe } from "./server-probe.ts";
import type { ShapedTable } from "./table-shape.ts";

export type MigrationType = "full-load" | "cdc" | "full-load-and-cdc";

/** A database to read from. Methods may be called concurrently; each uses connections of its own. */
export interface Source extends AsyncDisposable, Probed<SourceProbe> {
  readonly positions: PositionCodec;
  /** The endpoint's word: a value that rules would cut off fails the task. False when left out. */
  readonly failsAtCuts?: boolean;
  /** Schemas of the server itself, by whose names documents leave them out. Left out: none. */
  readonly systemSchemas?: readonly string[];
  /** Those of users. */
  listSchemas(signal: AbortSignal): Promise<readonly string[]>;
  /** Ordinary and partitioned-leaf tables of user schemas; Tideway's own control tables are left out. */
  listTables(signal: AbortSignal): Promise<readonly TableId[]>;
  /**
   * Whether a table is a tool's own, for a while, beside the one of these that the tool is altering: it does not come
   * because a rule takes all tables. None is when left out.
   */
  isPassing?(table: TableId, tables: readonly TableId[]): boolean;
  /** Views of user schemas, materialized ones among them. */
  listViews(signal: AbortSignal): Promise<readonly TableId[]>;
  /**
   * The named tables with all they need: types, sequences, schemas, functions; what is part of them, such as
   * triggers; and everything in the schemas that are moved whole. A table that has gone is left out.
   */
  describe(request: DescribeRequest, signal: AbortSignal): Promise<Catalog>;
  /** Whether the database is fit to be read: log settings, free slots, grants, keys. Changes nothing. */
  assess(request: SourceAssessment, signal: AbortSignal): Promise<readonly Finding[]>;
  /** The collations of tables. None where the server's are not told of by their rules, when left out. */
  collations?(tables: readonly TableSchema[], signal: AbortSignal): Promise<readonly SourceCollation[]>;
  /** Does something while a mark of the source stands that only sessions of the same server see. */
  marked<Result>(work: (mark: ServerMark) => Promise<Result>, signal: AbortSignal): Promise<Result>;
  openSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot>;
  sequenceStates(sequences: readonly TableId[], signal: AbortSignal): Promise<readonly SequenceState[]>;
  /** Asks about all rows of a table; undefined where there is no number to answer with. */
  audit(question: AuditQuestion, signal: AbortSignal): Promise<bigint | undefined>;
  /** Who keeps a stream or a snapshot from starting, because it has begun to write; the oldest first. */
  openWriters(signal: AbortSignal): Promise<readonly OpenWriter[]>;
  /**
   * The name of the log that the source writes: another server has another, and so does the same one after it was
   * promoted or restored. Throws when what was read up to `reached` of the log `known` is not in it:
   * `source.other_server`, `source.set_back` with what parts them, `source.slot_missing` when the task's log was not kept across
   * a promotion; `source.standby` when the source writes none.
   */
  followLog(request: LogRequest, signal: AbortSignal): Promise<string>;
  /** Starts keeping the log for this task from now on; resolves with where it starts. For cdc without full load. */
  createStream(request: StreamRequest, signal: AbortSignal): Promise<Position>;
  /**
   * Throws `source.being_loaded` when another task has rows still to load into this source: a stream of the source's
   * own changes (see ChangeStreamRequest.ownOnly) would send them on. `source.privilege` when that cannot be read.
   */
  checkLoads(request: StreamRequest, signal: AbortSignal): Promise<void>;
  /**
   * Whether the log is kept for this task, and if so from which position on. A source that keeps its log for
   * nobody in particular has a stream for every task that stands somewhere, as long as the log reaches there.
   */
  findStream(request: FindStream, signal: AbortSignal): Promise<Position | undefined>;
  /** Gives the log up and removes what was created for the task. Does nothing when there is nothing. */
  dropStream(request: StreamRequest, signal: AbortSignal): Promise<void>;
  /**
   * Throws when the source does not send all changes of the tables any more, and would not say so by
   * itself: `source.publication_missing`, `source.table_unpublished` with the table.
   */
  checkStream(request: StreamRequest, signal: AbortSignal): Promise<void>;
  /**
   * Throws `source.table_changed` for a table that is not what it was described as: the change stream does not
   * tell of all that happens to one. Resolves with those that changed in what does not concern their rows.
   */
  checkTables(tables: readonly TableSchema[], signal: AbortSignal): Promise<readonly ShapedTable[]>;
  /** Whether the source notes schema changes in its log. */
  noteKeeping(signal: AbortSignal): Promise<NoteKeeping>;
  /**
   * Makes the source note schema changes in its log, for all tasks that read it; resolves with whether it does, and
   * with why it cannot. Without `makes` it takes what is there and makes nothing.
   */
  keepNotes(request: { readonly makes: boolean }, signal: AbortSignal): Promise<KeptNotes>;
  /**
   * Undoes keepNotes() for a task that is removed, unless another one reads the database. To be called when the task's
   * stream is dropped. A task that starts anew keeps them: what others have been told of them holds.
   */
  dropNotes(request: StreamRequest, signal: AbortSignal): Promise<void>;
  /** Describes tables as they were when they were noted. */
  describeNoted(notes: readonly SchemaNote[], signal: AbortSignal): Promise<readonly TableSchema[]>;
  /** How far the stream is behind, and what threatens it; undefined while there is none. */
  streamHealth(request: StreamRequest, signal: AbortSignal): Promise<StreamHealth | undefined>;
  openChangeStream(request: ChangeStreamRequest, signal: AbortSignal): Promise<ChangeStream>;
  /** Sessions of this source that wait for somebody else's lock, once they have done so for a few seconds. */
  lockWaits(signal: AbortSignal): Promise<readonly LockWait[]>;
  /**
   * A position that somebody has written down, as one that compares with those of the stream, where a log has several
   * kinds of them. Throws `source.position_unavailable` where that cannot be told.
   */
  resolvePosition(position: Position, signal: AbortSignal): Promise<Position>;
  /**
   * How a stream is told to end at a position that somebody has written down, which the log may not have come to.
   * Throws `source.position_unavailable` for one of another log.
   */
  stopPosition(position: Position, signal: AbortSignal): Promise<StopPosition>;
  /**
   * The boundary before the first transaction of the log that committed at a time of the source's clock or later. Throws
   * `source.position_unavailable` where a log cannot be searched by time, or does not hold that time.
   */
  positionAtTime(request: TimeRequest, signal: AbortSignal): Promise<Position>;
  /** The end of the log now: all that is committed before the call lies at or before it. */
  currentPosition(signal: AbortSignal): Promise<Position>;
}

/** Where a stream is to end. */
export interface StopPosition {
  readonly position: Position;
  /** Whether it compares with the stream's; else the stream itself tells when it has come there (`until`). */
  readonly compares: boolean;
}

export interface TimeRequest {
  readonly taskId: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

export interface DescribeRequest {
  readonly tables: readonly TableId[];
  /**
   * Views, and tables whose rows are those of others or of another server, that are described as tables with their columns
   * (TableSchema.isView), after the others. None when left out.
   */
  readonly views?: readonly TableId[];
  /** Undefined: nothing but what tables need, and not what they are parts of. */
  readonly wholeSchemas: readonly string[] | undefined;
  /** Without it only tables, types and sequences are described. */
  readonly objects: boolean;
  /** Owners and privileges, too; default privileges of the schemas that are moved whole. */
  readonly rights: boolean;
  /** Of large objects, too: of one for all that are alike. */
  readonly largeObjects: boolean;
  /** Rows are going to be read, but none of their changes. False when left out. */
  readonly rowsOnly?: boolean;
}

export interface OpenWriter {
  /** A session or a prepared transaction, in words that its owner can be found by. */
  readonly subject: string;
  readonly state: string;
  readonly seconds: number;
}

export interface SourceAssessment {
  readonly taskId: string;
  readonly type: MigrationType;
  readonly tables: readonly TableSchema[];
  /** The catalog's objects are moved, and these schemas whole; undefined when tables alone are. */
  readonly movesWhole: readonly string[] | undefined;
  /** Owners and privileges come along. */
  readonly movesRights: boolean;
  /** The full load copies large objects; done: it has. */
  readonly movesLargeObjects: boolean | "done";
  /** True when the task already keeps its log, so that no new slot is needed. */
  readonly resumes: boolean;
  /** See ChangeStreamRequest. False when left out. */
  readonly ownOnly?: boolean;
}

/** Names a task's change stream: on PostgreSQL a slot and a publication called after the task. */
export interface StreamRequest {
  readonly taskId: string;
  readonly tables: readonly TableSchema[];
  /**
   * The log that positions are of, by the name that followLog() gave it. What is opened for reading fails with
   * `connect.lost` where another is met. Any when left out.
   */
  readonly log?: string | undefined;
}

export interface FindStream extends StreamRequest {
  /** Where the target stands; undefined before the task has a stream. */
  readonly applied: Position | undefined;
}

export interface StreamHealth {
  /** What threatens the stream, as long as something can be done about it. */
  readonly findings: readonly Finding[];
  /** Log that the source has written since what was confirmed to it. */
  readonly behindBytes: number;
  /** Log that the source keeps for the task. At least as much, and more where transactions were open for long. */
  readonly keptBytes: number;
}

export interface LogRequest extends Pick<StreamRequest, "taskId"> {
  /** The log that was read last; undefined when that was not noted. */
  readonly known: string | undefined;
  /** The furthest position of it that the target holds anything of; undefined for nothing. */
  readonly reached: Position | undefined;
}

export interface ChangeStreamRequest extends StreamRequest {
  readonly after: Position;
  /** How cells may be written; see Target.changeEncodings. In any way when left out. */
  readonly encodings?: readonly ChangeEncoding[];
  /** Tables set aside: nobody minds when the stream lacks their changes. None when left out. */
  readonly aside?: readonly TableId[];
  /** What replication has brought to the source is left out: only changes made there are sent. False when left out. */
  readonly ownOnly?: boolean;
  /** A place in the log, which the stream is to say when it has come to; see StopPosition and StreamItem. None when left out. */
  readonly until?: Position | undefined;
  /** What the task says to notes of schema changes. None are told when left out. */
  readonly takes?: NoteFilter;
}

export interface SnapshotRequest extends StreamRequest {
  /**
   * "none": rows only, the log is not touched (full-load tasks).
   * "new-stream": the log is kept from exactly this snapshot on; fails when the stream exists.
   * "existing-stream": for a stream that exists; its position is comparable with the stream's commits.
   */
  readonly anchor: "none" | "new-stream" | "existing-stream";
  /** How many sessions read it at once at most. As many as the engine finds right when left out. */
  readonly sessions?: number;
  /** For the anchor "none": one session reads rather than that others' locks and statements are waited for. False when left out. */
  readonly prompt?: boolean;
  /** The rows must show one place of the log (no Snapshot.upTo), however long that has to be waited for. False when left out. */
  readonly exact?: boolean;
}

/** A consistent view of the source, open until disposed. Disposing keeps the stream. */
export interface Snapshot extends RowNumbers, AsyncDisposable {
  /** The rows hold every change committed up to here and, but for `upTo`, none after. undefined for anchor "none". */
  readonly position: Position | undefined;
  /**
   * Where no one moment was to be had: rows may hold changes after `position`, another session's rows others, and none
   * after this. Left out: there are none.
   */
  readonly upTo?: Position | undefined;
  /**
   * Cuts each table into partitions that together hold every row of it exactly once, about
   * `rowsPerPartition` rows or `bytesPerPartition` bytes each, whichever is smaller. One for a
   * small table: many of those are looked at together. Outcomes in the order of the tables.
   */
  partition(
    tables: readonly TableSchema[],
    size: PartitionSize,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly Partition[]>[]>;
  /** Formats this table can be read in, best first. `columns`: as in ReadRequest. */
  bulkFormats(table: TableSchema, columns?: readonly number[]): readonly BulkFormat[];
  /**
   * Rows of one partition without generated columns, or with the columns that are asked for, in column order. Pulls from the server as consumed.
   * A share is read once; when that is not done to its end, the other shares of its table end early.
   */
  read(request: ReadRequest, signal: AbortSignal): AsyncIterable<RowChunk>;
  /** What is to be said of the rows that were read so far, such as values that came as others. Nothing when left out. */
  findings?(): readonly Finding[];
  /** The next large objects above a number, in their order; none when there are no more. */
  largeObjects(after: string, signal: AbortSignal): Promise<readonly LargeObject[]>;
  /** What follows the head of a large object, in pieces of bounded size. */
  readLargeObject(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface PartitionSize {
  readonly rowsPerPartition: number;
  readonly bytesPerPartition: number;
  /** Tables of at most so many bytes are cut into shares. Left out: none. */
  readonly bytesReadAtOnce?: number;
  /** Partitions are read in this snapshot alone, and need not hold in a later one. */
  readonly isOfSnapshot?: true;
  /**
   * How some of the tables are cut whatever their size, by tableKey(). An outcome is `mapping.rule_impossible` where the
   * server does not take the boundaries of ranges for ascending ones. None when left out.
   */
  readonly parallelLoads?: ReadonlyMap<string, ParallelLoad>;
}

export interface ReadRequest {
  readonly table: TableSchema;
  readonly partition: Partition;
  readonly format: BulkFormat;
  /** Ordinals of the columns that are wanted, ascending; generated ones only with Column.sends. All when left out. */
  readonly columns?: readonly number[];
  /**
   * Only rows that it holds for. Left out: all. Columns are those of `table`. Shares of one table are all read with the
   * same filter and the same columns.
   */
  readonly filter?: RowFilter;
  /** Only rows of these buckets. Left out: all. The server can write all of its columns (Snapshot.digestsAs). */
  readonly digested?: BucketChoice;
}

/**
 * A part of one table, as plain data that survives a restart: all of it, a range of it, a share of the
 * rows that one scan of all of it finds, or partitions that the source itself keeps. Which rows a share has is known
 * only when it has been read.
 */
export interface Partition {
  /** Unique within the table; a small number in text. */
  readonly id: string;
  /** "range": of values of any columns. Rows with NULL in one of them belong to the first. */
  readonly by: "whole" | "key" | "range" | "block" | "share" | "stored";
  /** Of a "key" or "range": the columns that the bounds are values of. They stay the same if the table gets other keys. */
  readonly columns?: readonly string[];
  /**
   * Inclusive lower and exclusive upper bound as texts, one for each of `columns` (or the one block number). Of "stored"
   * the first has the names of the source's partitions.
   */
  readonly from: readonly string[] | undefined;
  readonly to: readonly string[] | undefined;
  readonly estimatedRows: number;
}

/**
 * Whether a partition means the same rows in any snapshot, each row by its key. A range of blocks or a share does so only in
 * its own, and a row may have moved to another range of other columns, or to another of the source's partitions.
 */
export function holdsInAnySnapshot({ by }: Partition): boolean {
  return by === "whole" || by === "key";
}

/** Committed changes after a position, in commit order. Not restartable: open a new one. */
export interface ChangeStream extends AsyncIterable<StreamItem>, AsyncDisposable {
  /** True when the source's notes were asked for (ChangeStreamRequest.takes) and it has none any more. Else left out. */
  readonly lacksNotes?: boolean;
  /** The target holds everything up to here for good; the source may discard its log. Never goes back. */
  confirm(position: Position): void;
  /** Asks the source to say how far it has sent, so that a heartbeat follows soon even when idle. */
  probe(): void;
  /** What is to be said of the changes that were sent so far, such as values that came as others. Nothing when left out. */
  findings?(): readonly Finding[];
}
