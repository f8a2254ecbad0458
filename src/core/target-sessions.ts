import type { LockWait } from "./lock-wait.ts";
import type { WriterWatch } from "./other-writer.ts";
import type { TableId } from "./schema.ts";

/** What a target tells of sessions. */
export interface TargetSessions {
  /** Sessions of this target that wait for somebody else's lock, once they have done so for a few seconds. */
  lockWaits(signal: AbortSignal): Promise<readonly LockWait[]>;
  /**
   * Watches who writes to some of its tables and is no session of Tideway, of this task or another, as far as the server tells
   * the user. What triggers and cascades write in Tideway's sessions is Tideway's.
   */
  watchWriters(tables: readonly TableId[]): WriterWatch;
}
