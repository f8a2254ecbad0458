import type { PostgresServer } from "../test/support/postgres-server.ts";

/** The database that the demo moves to PostgreSQL, of whatever kind it is. */
export interface DemoSource {
  readonly kind: string;
  readonly url: string;
  /** What connects to it, to be pasted into a shell. */
  readonly shell: string;
  /** Of the tables that are moved. */
  readonly patterns: readonly string[];
  /** Makes about so many rows in related tables. */
  fill(rows: number): Promise<void>;
  /** To be called once the database is filled. */
  startApplication(load: ApplicationLoad): Promise<Application>;
  /** Compares every row of every table on both sides. */
  verify(target: PostgresServer, database: string): Promise<Verdict>;
}

export interface ApplicationLoad {
  readonly clients: number;
  /** Of all clients together. */
  readonly transactionsPerSecond: number;
}

/** Goes on writing until it is stopped. */
export interface Application extends AsyncDisposable {
  /** Settles when it ends by itself, which it does when it fails. */
  readonly ended: Promise<unknown>;
  stop(): Promise<ApplicationStatistics>;
}

export interface ApplicationStatistics {
  readonly commits: number;
  /** Of Date.now(); undefined before the first commit. */
  readonly lastCommitMs: number | undefined;
}

export interface Verdict {
  readonly equal: boolean;
  /** What was compared: "1,000,000 rows of 14 tables". */
  readonly compared: string;
  /** What differs; empty when nothing does. */
  readonly differences: string;
}
