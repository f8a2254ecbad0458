import { Backoff, type BackoffOptions, pause } from "../base/backoff.ts";
import { asMigrationError, MigrationError } from "../core/error.ts";
import type { StopReason, TaskListener } from "./task.ts";

/** An attempt that lasted this long has worked: earlier failures no longer count. */
const LASTING_MS = 60_000;

export interface RetriedAttempts {
  readonly limits: BackoffOptions;
  readonly listener: Pick<TaskListener, "log">;
  readonly signal: AbortSignal;
  readonly stopRequested: () => boolean;
  /** Both databases were reached and found fit once: failures to reach them may pass. */
  readonly isUnderway: () => boolean;
}

/**
 * Makes one attempt after the other until one says why the task stops; "again" is followed by the next at once, an
 * error that may pass by a pause. Throws an error that does not pass, and `task.retries_exhausted`.
 */
export async function retryAttempts(
  attempt: () => Promise<StopReason | "again">,
  { limits, listener, signal, stopRequested, isUnderway }: RetriedAttempts,
): Promise<StopReason> {
  const backoff = new Backoff(limits);
  for (;;) {
    const startedMs = performance.now();
    try {
      const reason = await attempt();
      if (reason !== "again") return reason;
    } catch (thrown) {
      if (stopRequested()) return "NORMAL";
      const error = asMigrationError(thrown);
      if (error.retry === "never" || (error.retry === "once-worked" && !isUnderway())) throw error;
      if (performance.now() - startedMs > LASTING_MS) backoff.reset();
      const delayMs = backoff.failed();
      if (delayMs === undefined) {
        throw new MigrationError("task.retries_exhausted", {
          message: `Gave up after ${backoff.failures} retries: ${error.message}`,
          remedy: error.remedy,
          cause: error,
        });
      }
      const { code, message } = error;
      listener.log("warn", "task interrupted, trying again", { code, reason: message, delayMs });
      await pause(delayMs, signal);
    }
  }
}
