import type { Finding } from "./finding.ts";

/** What a server says of itself in a moment, for an assessment. Nothing of it is asked while a task moves rows. */
export interface ServerProbe {
  /** Kind and version, as people call them: "PostgreSQL 16.4". */
  readonly server: string;
  /** How long a statement that does nothing takes at least, there and back. */
  readonly roundTripMs: number;
  /** The server's clock less this machine's; as exact as half a round trip. */
  readonly clockSkewMs: number;
  /** Bytes that are left on the disk of its data; undefined where it does not tell, as most do not. */
  readonly freeBytes?: number;
}

export interface SourceProbe extends ServerProbe {
  /** When this machine's steady clock (performance.now) showed that. */
  readonly atMs: number;
  /** Bytes of log written so far, of which the difference of two probes counts; undefined where the user may not see them. */
  readonly logBytes: number | undefined;
  /** Rows inserted, updated and deleted so far, in the same way. */
  readonly changedRows: number | undefined;
  /** How much of its log the server keeps for a task that falls behind; without a limit where neither is there. */
  readonly logKept: LogKept;
  /** Why it would not note schema changes in its log for a task that follows them. None where it would. */
  readonly unnoted: readonly Finding[];
}

/** A side of a migration that can be measured. */
export interface Probed<Probe extends ServerProbe> {
  /** Changes nothing. */
  probe(signal: AbortSignal): Promise<Probe>;
}

export interface LogKept {
  readonly bytes?: number;
  readonly seconds?: number;
}
