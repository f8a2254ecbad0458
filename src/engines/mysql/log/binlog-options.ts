import type { Position } from "../../../core/position.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { BinlogPlace } from "./binlog-position.ts";
import type { RowFacts } from "./binlog-row-plan.ts";
import type { NoteOptions } from "./table-notes.ts";

/** What of the log is told, and how. */
export interface BinlogOptions {
  readonly tables: readonly TableSchema[];
  /** Transactions up to here are not told. Its kind is that of all positions. */
  readonly after: Position;
  readonly facts: RowFacts;
  /** Whether events have checksums before the first file says so: @@global.binlog_checksum. */
  readonly hasChecksum: boolean;
  /** See LogChanges. */
  readonly notes?: NoteOptions | undefined;
  /** A pause is made where the log has come to this place. */
  readonly until?: BinlogPlace | undefined;
  /** A transaction (XA) that alone is of interest, as far as it has changed these tables: see prepared(). */
  readonly lookFor?: { readonly xid: string; readonly tables: readonly TableSchema[] } | undefined;
  readonly maxPreparedBytes?: number | undefined;
}
