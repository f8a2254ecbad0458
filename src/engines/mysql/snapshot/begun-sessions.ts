import type { SnapshotPlace } from "../../../core/journal.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** What begins a session's transaction, and what it shows. */
export const BEGIN = "start transaction with consistent snapshot, read only";

/** Sessions in transactions, and which moments of the log these show. */
export interface BegunSessions extends SnapshotPlace {
  readonly sessions: readonly WireSession[];
}
