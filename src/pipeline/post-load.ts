import { failpoint } from "../base/failpoint.ts";
import { asMigrationError } from "../core/error.ts";
import type { TablePlan } from "../core/plan.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import type { PostLoadStep } from "../core/target.ts";
import type { PipelineObserver } from "./observer.ts";
import type { TableErrors } from "./table-errors.ts";

export interface BuildContext {
  readonly observer: PipelineObserver;
  readonly errors: TableErrors;
  /** Steps that may run at once. */
  readonly builders: number;
}

interface Pending {
  readonly plan: TablePlan;
  readonly step: PostLoadStep;
}

/**
 * Runs the steps of one stage of many tables, several at once, but never two that lock the same
 * table: foreign keys lock both their tables, and two of them crossing would deadlock.
 */
export async function runStage(
  stage: PostLoadStep["stage"],
  tables: readonly { readonly plan: TablePlan; readonly steps: readonly PostLoadStep[] }[],
  context: BuildContext & { readonly signal: AbortSignal },
): Promise<void> {
  const waiting: Pending[] = tables.flatMap(({ plan, steps }) =>
    steps.filter((step) => step.stage === stage).map((step) => ({ plan, step })),
  );
  const locked = new Set<string>();
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const start = (pending: Pending): void => {
    const locks = pending.step.locks.map(tableKey);
    for (const key of locks) locked.add(key);
    const work = runStep(pending, context)
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => {
        running.delete(work);
        for (const key of locks) locked.delete(key);
      });
    running.add(work);
  };
  while (waiting.length > 0 || running.size > 0) {
    const index =
      failure === undefined && running.size < context.builders
        ? waiting.findIndex(({ step }) => step.locks.every((id) => !locked.has(tableKey(id))))
        : -1;
    if (index >= 0) start(waiting.splice(index, 1)[0]!);
    else if (running.size > 0) await Promise.race(running);
    else break;
  }
  if (failure !== undefined) throw failure.error;
}

/** Without its key a table cannot be replicated; without another object it can, and is reported. */
async function runStep(
  { plan, step }: Pending,
  context: BuildContext & { readonly signal: AbortSignal },
): Promise<void> {
  const { observer, errors, signal } = context;
  const table: TableId = plan.source.id;
  if (errors.isSuspended(table)) return;
  signal.throwIfAborted();
  observer.building(table, step.subject);
  try {
    await step.run(signal);
    failpoint("build.step-done");
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asMigrationError(thrown);
    if (error.scope !== "table" || step.stage === "key" || step.stage === "unique") {
      await errors.handle(table, error, signal);
      return;
    }
    observer.tableFailed(table, error);
    observer.finding({
      code: error.code,
      severity: "error",
      subject: `${displayTable(table)} ${step.subject}`,
      table,
      message: error.message,
      remedy: error.remedy,
    });
  } finally {
    observer.building(table, undefined);
  }
}
