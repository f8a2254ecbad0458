import type { TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import { facedTask, namedTables, type WishMessage, wishNow, wishShape, withWish } from "./row-wishes.ts";
import type { Call } from "./service.ts";
import { startTask } from "./task-orders.ts";

/*
 * Operations of Tideway's own: rows that the target has refused are tried again. AWS DMS has nothing like it; what they are
 * asked and answer stands in docs/api.md.
 */

interface ErrorRetryAnswer {
  readonly Arn: string;
  readonly ErrorRetry: object | undefined;
}

export async function retryErrors(message: WishMessage, call: Call): Promise<ErrorRetryAnswer> {
  const { Arn } = message;
  const task = await facedTask(Arn, call);
  const wanted = { tables: await namedTables(message, task.record, call) };
  const record = isLoaded(task.record)
    ? await startTask(
        {
          ...{ face: task.face, arn: Arn, mode: "resume-processing", positions: {} },
          wanted: (resting) => withWish(resting, wanted, call),
        },
        call,
      )
    : await wishNow(task, { wanted, done: "tried again" }, call);
  return { Arn, ErrorRetry: wishShape(record, undefined, call) };
}

export async function describeErrorRetry(
  { Arn }: Pick<WishMessage, "Arn">,
  call: Call,
): Promise<ErrorRetryAnswer> {
  const { record } = await facedTask(Arn, call);
  return { Arn, ErrorRetry: wishShape(record, undefined, call) };
}

/** A task that moves no changes is run once more for it: its load is done, so nothing else happens. */
function isLoaded({ migrationType, run, status }: TaskRecord): boolean {
  const isAtRest = nextTaskStatus(status, "start") !== undefined;
  return migrationType === "full-load" && isAtRest && run?.mode === "resume-processing";
}
