/**
 * A commit boundary in one source's log: everything up to and including it has committed.
 * Plain data, so that it can be stored, sent to another process and shown.
 */
export interface Position {
  /** Which log this is: "pg-lsn", "mysql-gtid", "mysql-binlog", "mssql-lsn", "oracle-scn". */
  readonly kind: string;
  /** Canonical text: what is stored, logged, shown, and accepted as a CDC start position. */
  readonly text: string;
}

export interface PositionCodec {
  /** Throws `position.malformed` when the text is not a position of this log. */
  parse(text: string): Position;
  /** undefined when neither contains the other, as for GTID sets of diverged servers. */
  compare(a: Position, b: Position): -1 | 0 | 1 | undefined;
}
