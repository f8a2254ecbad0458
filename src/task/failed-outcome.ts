import { asMigrationError, type MigrationError } from "../core/error.ts";
import type { TaskListener, TaskOutcome } from "./task.ts";

export type Ending = Pick<TaskOutcome, "state" | "stopReason" | "error">;

/** What becomes of a task that has thrown, which is logged. One that was to stop has stopped, whatever that cut short. */
export function failedOutcome(
  thrown: unknown,
  stopRequested: boolean,
  listener: Pick<TaskListener, "log">,
): Ending {
  const error = asMigrationError(thrown);
  listener.log("error", "task failed", { code: error.code, subject: error.subject });
  if (error.code === "internal.unexpected") logDefect(error, listener);
  if (stopRequested) return { state: "stopped", stopReason: "NORMAL", error: undefined };
  const stopReason = error.retry === "never" ? "FATAL_ERROR" : "RECOVERABLE_ERROR";
  return { state: "failed", stopReason, error: error.toJSON() };
}

/** A defect's stack tells where; its message may hold values and is left out. */
function logDefect(error: MigrationError, listener: Pick<TaskListener, "log">): void {
  const cause = error.cause instanceof Error ? error.cause : error;
  const where = (cause.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
  listener.log("error", "unexpected error", { name: cause.name, where: where.slice(0, 8) });
}
