import type { OtherWriter } from "../../../core/other-writer.ts";
import type { TableId } from "../../../core/schema.ts";

/** What a server shows of other writers of some tables. Whoever asks does not ask for two things at once. */
export interface WriterServer {
  /** Throws when it cannot be known who of Tideway writes; anything else that the server does not show is left out. */
  sessions(signal: AbortSignal): Promise<SeenSessions>;
  /** `first`: tables of which it has to be known now, where not all are counted each time. */
  counts(first: readonly TableId[], signal: AbortSignal): Promise<SeenCounts>;
  /** Throws when it cannot be known. */
  effects(signal: AbortSignal): Promise<Effects>;
}

export interface SeenSessions {
  /** Writers whose transaction is open and has written to the table. */
  readonly writing: readonly OtherWriter[];
  /** Writers by the text of a statement that they have begun, or ended, since the call before. None at the first one. */
  readonly stating: readonly StatedWriter[];
  /** There is a session of Tideway's that may write, and that is not one of this program's. */
  readonly othersOfTideway: boolean;
}

export interface StatedWriter {
  readonly writer: OtherWriter;
  /** By what the table shows that it was written to: its counter, its identity, or nothing, because the statement has for certain. */
  readonly shownBy: "count" | "identity" | "itself";
}

export interface SeenCounts {
  /** Of tables that are not there, too, with the count 0. */
  readonly counts: readonly TableCount[];
  readonly stating: readonly StatedWriter[];
  /** Other accounts, as JSON texts of what is told of them, by how much they have written to any table. */
  readonly accounts: ReadonlyMap<string, number>;
  /** The server has counted what a session has written at most so long after it; Infinity where that has no limit. */
  readonly lagMs: number;
}

export interface TableCount {
  readonly table: TableId;
  /** Gets larger with each write, whoever writes; after a restart of the server, say, it begins anew. */
  readonly count: number;
  /** What it gets larger by are rows. */
  readonly isOfRows: boolean;
  /** Another one where the table is another, or has been made anew or emptied: counts of both say nothing. Null while it is not there. */
  readonly identity: string | null;
}

/** What a server's accounts are told by; without a user where the server writes by itself. */
export type Account = Pick<OtherWriter, "user" | "address">;

/** What else is written by the server itself when a table is written to. */
export interface Effects {
  /** Tables whose triggers or rules may write anywhere; undefined where the user may not see which these are. */
  readonly acting: readonly TableId[] | undefined;
  /** Who writes to the first may change rows of the second. */
  readonly passedOn: readonly (readonly [TableId, TableId])[];
}
