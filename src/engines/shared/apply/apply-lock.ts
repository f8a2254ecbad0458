import { setTimeout as delay } from "node:timers/promises";
import { MigrationError } from "../../../core/error.ts";

/** How long the last applier's session has to end by itself, and how long it is waited for at most. */
const PATIENCE_MS = 1_000;
const TIMEOUT_MS = 15_000;
const RETRY_MS = 50;

/** The lock on a target that a task's applier holds. */
export interface ApplyLock {
  readonly taskId: string;
  /** Takes the lock if nobody has it; says whether it did. */
  take(): Promise<boolean>;
  /** Ends the session that has it, if there is one. */
  endHolder(): Promise<void>;
}

/**
 * Lets only one session apply for a task. A worker that was killed may leave a session behind that still works through
 * what it was sent, commit included; the position in the journal is final only when that session has ended. It gets a
 * moment for that, then it is ended. Throws `target.applier_in_use` when it stays all the same.
 */
export async function takeLock(lock: ApplyLock): Promise<void> {
  for (const start = performance.now(); ; await delay(RETRY_MS)) {
    if (await lock.take()) return;
    const waited = performance.now() - start;
    if (waited > TIMEOUT_MS) {
      throw new MigrationError("target.applier_in_use", {
        message: "Another session applies changes for this task.",
        subject: lock.taskId,
      });
    }
    if (waited > PATIENCE_MS) await lock.endHolder();
  }
}
