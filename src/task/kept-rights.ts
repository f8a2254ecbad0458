import type { TablePlan } from "../core/plan.ts";
import { isDefaultRights, rightsKey } from "../core/rights.ts";
import { tableKey } from "../core/schema.ts";
import type { PreparationContext } from "./preparation.ts";
import { movedTables } from "./run-objects.ts";

/**
 * What is there before the task is somebody's already: noted once, before anything is made. The task's tables are
 * made or not by what the journal says of them.
 */
export async function noteKept(
  { plan, target, journal, observer, signal }: PreparationContext,
  isFresh: boolean,
): Promise<void> {
  const moved = movedTables(plan);
  const rights = plan.target.rights.filter(({ on }) => on === undefined || !moved.has(tableKey(on)));
  if (rights.length === 0 || (await journal.keptObjects(signal)) !== undefined) return;
  if (!isFresh) {
    const code = "settings.no_effect";
    observer.finding({
      ...{ code, severity: "warning", subject: "TidewaySettings.MigratePrivileges" },
      message: "What the task has made before this was set keeps its owner and privileges.",
      remedy: "Start the task anew, or set owners and privileges on the target by hand.",
    });
  }
  await journal.keepObjects(await target.presentObjects(rights, signal), signal);
}

/** What had its own and has been dropped since is made anew, as a view that stood in the way of its table. */
export async function releaseGone({ plan, target, journal, signal }: PreparationContext): Promise<void> {
  // Default privileges are there only where they were given, and somebody may have taken them back.
  const rights = plan.target.rights.filter(({ kind }) => kind !== "large object" && !isDefaultRights(kind));
  if (rights.length === 0) return;
  const settled = new Set((await journal.keptObjects(signal))?.map(rightsKey));
  const present = new Set((await target.presentObjects(rights, signal)).map(rightsKey));
  const gone = rights.filter((one) => settled.has(rightsKey(one)) && !present.has(rightsKey(one)));
  if (gone.length > 0) await journal.releaseObjects(gone, signal);
}

/** A table that is made anew is nobody's again, and so is what comes and goes with it. */
export async function releaseRemade(
  { plan, journal, signal }: PreparationContext,
  made: readonly TablePlan[],
): Promise<void> {
  const tables = new Set(made.map(({ target }) => tableKey(target.id)));
  const rights = plan.target.rights.filter(({ on }) => on !== undefined && tables.has(tableKey(on)));
  if (rights.length > 0) await journal.releaseObjects(rights, signal);
}
