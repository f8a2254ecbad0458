import type { StreamItem } from "./change-batch.ts";
import type { TableOutcome } from "./error.ts";
import type { Finding } from "./finding.ts";
import type { Position, PositionCodec } from "./position.ts";
import type { BulkFormat, RowChunk } from "./row-chunk.ts";
import type { Catalog, SequenceState, TableId, TableSchema } from "./schema.ts";

export type MigrationType = "full-load" | "cdc" | "full-load-and-cdc";

/** A database to read from. Methods may be called concurrently; each uses connections of its own. */
export interface Source extends AsyncDisposable {
  readonly positions: PositionCodec;
  listSchemas(signal: AbortSignal): Promise<readonly string[]>;
  /** Ordinary and partitioned-leaf tables of user schemas; Tideway's own control tables are left out. */
  listTables(signal: AbortSignal): Promise<readonly TableId[]>;
  /**
   * The named tables with all they need: types, sequences, schemas, functions; what is part of them, such as
   * triggers; and everything in the schemas that are moved whole. A table that has gone is left out.
   */
  describe(request: DescribeRequest, signal: AbortSignal): Promise<Catalog>;
  /** Whether the database is fit to be read: log settings, free slots, grants, keys. Changes nothing. */
  assess(request: SourceAssessment, signal: AbortSignal): Promise<readonly Finding[]>;
  openSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot>;
  sequenceStates(sequences: readonly TableId[], signal: AbortSignal): Promise<readonly SequenceState[]>;
  /** Who keeps a stream or a snapshot from starting, because it has begun to write; the oldest first. */
  openWriters(signal: AbortSignal): Promise<readonly OpenWriter[]>;
  /** Starts keeping the log for this task from now on; resolves with where it starts. For cdc without full load. */
  createStream(request: StreamRequest, signal: AbortSignal): Promise<Position>;
  /** Whether the log is kept for this task, and if so from which position on. */
  findStream(request: StreamRequest, signal: AbortSignal): Promise<Position | undefined>;
  /** Gives the log up and removes what was created for the task. Does nothing when there is nothing. */
  dropStream(request: StreamRequest, signal: AbortSignal): Promise<void>;
  /**
   * Throws when the source does not send all changes of the tables any more, and would not say so by
   * itself: `source.publication_missing`, `source.table_unpublished` with the table.
   */
  checkStream(request: StreamRequest, signal: AbortSignal): Promise<void>;
  /** What threatens the stream as long as something can be done about it. */
  streamHealth(request: StreamRequest, signal: AbortSignal): Promise<readonly Finding[]>;
  openChangeStream(request: ChangeStreamRequest, signal: AbortSignal): Promise<ChangeStream>;
  /** The end of the log now: all that is committed before the call lies at or before it. */
  currentPosition(signal: AbortSignal): Promise<Position>;
}

export interface DescribeRequest {
  readonly tables: readonly TableId[];
  /** Undefined: nothing but what tables need, and not what they are parts of. */
  readonly wholeSchemas: readonly string[] | undefined;
  /** Without it only tables, types and sequences are described. */
  readonly objects: boolean;
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
  /** True when the task already keeps its log, so that no new slot is needed. */
  readonly resumes: boolean;
}

/** Names a task's change stream: on PostgreSQL a slot and a publication called after the task. */
export interface StreamRequest {
  readonly taskId: string;
  readonly tables: readonly TableSchema[];
}

export interface ChangeStreamRequest extends StreamRequest {
  readonly after: Position;
  /** Tables set aside: nobody minds when the stream lacks their changes. None when left out. */
  readonly aside?: readonly TableId[];
}

export interface SnapshotRequest extends StreamRequest {
  /**
   * "none": rows only, the log is not touched (full-load tasks).
   * "new-stream": the log is kept from exactly this snapshot on; fails when the stream exists.
   * "existing-stream": for a stream that exists; its position is comparable with the stream's commits.
   */
  readonly anchor: "none" | "new-stream" | "existing-stream";
}

/** A consistent view of the source, open until disposed. Disposing keeps the stream. */
export interface Snapshot extends AsyncDisposable {
  /** The rows hold every change committed up to here and none after. undefined for anchor "none". */
  readonly position: Position | undefined;
  /**
   * Cuts each table into ranges that together hold every row of it exactly once, about
   * `rowsPerPartition` rows or `bytesPerPartition` bytes each, whichever is smaller. One range for a
   * small table: many of those are looked at together. Outcomes in the order of the tables.
   */
  partition(
    tables: readonly TableSchema[],
    size: PartitionSize,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly Partition[]>[]>;
  /** Formats this table can be read in, best first. */
  bulkFormats(table: TableSchema): readonly BulkFormat[];
  /** Rows of one partition without generated columns, in column order. Pulls from the server as consumed. */
  read(request: ReadRequest, signal: AbortSignal): AsyncIterable<RowChunk>;
}

export interface PartitionSize {
  readonly rowsPerPartition: number;
  readonly bytesPerPartition: number;
}

export interface ReadRequest {
  readonly table: TableSchema;
  readonly partition: Partition;
  readonly format: BulkFormat;
}

/**
 * A range of one table. Plain data that survives a restart: `by: "key"` ranges mean the same in any
 * snapshot, `by: "block"` ranges only in the snapshot they were cut in.
 */
export interface Partition {
  /** Unique within the table; a small number in text. */
  readonly id: string;
  readonly by: "whole" | "key" | "block";
  /** Of a "key" range: the columns that the bounds are values of. They stay the same if the table gets other keys. */
  readonly columns?: readonly string[];
  /** Inclusive lower and exclusive upper bound as texts, one for each of `columns` (or the one block number). */
  readonly from: readonly string[] | undefined;
  readonly to: readonly string[] | undefined;
  readonly estimatedRows: number;
}

/** Committed changes after a position, in commit order. Not restartable: open a new one. */
export interface ChangeStream extends AsyncIterable<StreamItem>, AsyncDisposable {
  /** The target holds everything up to here for good; the source may discard its log. Never goes back. */
  confirm(position: Position): void;
  /** Asks the source to say how far it has sent, so that a heartbeat follows soon even when idle. */
  probe(): void;
}
