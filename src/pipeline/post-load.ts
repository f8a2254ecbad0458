import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import type { TablePlan } from "../core/plan.ts";
import type { PostLoadStage, PostLoadStep } from "../core/post-load-step.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import type { Target } from "../core/target.ts";
import type { PipelineObserver } from "./observer.ts";
import type { TableErrors } from "./table-errors.ts";

export interface BuildContext {
  readonly target: Target;
  readonly observer: PipelineObserver;
  readonly errors: TableErrors;
  /** Steps that may run at once. */
  readonly builders: number;
  readonly signal: AbortSignal;
}

/** Tables up to this size are worked on many at once: round trips cost more than their rows. */
const SMALL_BYTES = 8 << 20;

/** Small tables worked on at once: so many locks at most, and so much work to be done again after a crash. */
export const SMALL_AT_ONCE = 64;

export function isSmall(plan: TablePlan): boolean {
  return plan.source.estimatedBytes <= SMALL_BYTES;
}

/**
 * Runs the steps of one stage of many tables, several at once, but never two that lock the same
 * table: foreign keys lock both their tables, and two of them crossing would deadlock.
 */
export async function runStage(
  stage: PostLoadStage,
  steps: readonly PostLoadStep[],
  context: BuildContext,
): Promise<void> {
  const waiting = steps.filter((step) => step.stage === stage);
  const locked = new Set<string>();
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const start = (group: readonly PostLoadStep[]): void => {
    const locks = group.flatMap((step) => step.locks.map(tableKey));
    for (const key of locks) locked.add(key);
    const work = runSteps(group, context)
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
    const group =
      failure === undefined && running.size < context.builders
        ? takeGroup(waiting, locked, Math.ceil(waiting.length / context.builders))
        : [];
    if (group.length > 0) start(group);
    else if (running.size > 0) await Promise.race(running);
    else break;
  }
  if (failure !== undefined) throw failure.error;
}

/** The first step that meets no lock, with others after it when all of them are about small tables. */
function takeGroup(waiting: PostLoadStep[], locked: ReadonlySet<string>, most: number): PostLoadStep[] {
  const group: PostLoadStep[] = [];
  const rest: PostLoadStep[] = [];
  const limit = Math.min(most, SMALL_AT_ONCE);
  for (const step of waiting) {
    const fits =
      group.length === 0 || (group.length < limit && isSmall(group[0]!.plan) && isSmall(step.plan));
    if (fits && step.locks.every((id) => !locked.has(tableKey(id)))) group.push(step);
    else rest.push(step);
  }
  waiting.splice(0, waiting.length, ...rest);
  return group;
}

/** Runs steps one after the other. Those of tables that are set aside are passed over. */
export async function runSteps(all: readonly PostLoadStep[], context: BuildContext): Promise<void> {
  const { target, observer, errors, signal } = context;
  const steps = all.filter(({ plan }) => !errors.isSuspended(plan.source.id));
  if (steps.length === 0) return;
  signal.throwIfAborted();
  for (const { plan, subject } of steps) observer.building(plan.source.id, subject);
  try {
    const outcomes = await target.runSteps(steps, signal);
    failpoint(`build.${steps[0]!.stage}-done`);
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome instanceof MigrationError) await stepFailed(steps[i]!, outcome, context);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    for (const { plan } of steps) observer.building(plan.source.id, undefined);
  }
}

/** Without its key a table cannot be replicated; without another object it can, and is reported. */
async function stepFailed(
  { plan, stage, subject }: PostLoadStep,
  error: MigrationError,
  { observer, errors, signal }: BuildContext,
): Promise<void> {
  const table = plan.source.id;
  if (stage === "key" || stage === "unique") {
    await errors.handle(table, error, signal);
    return;
  }
  observer.tableFailed(table, error);
  observer.finding({
    code: error.code,
    severity: "error",
    subject: `${displayTable(table)} ${subject}`,
    table,
    message: error.message,
    remedy: error.remedy,
  });
}
