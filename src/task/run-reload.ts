import { type TableId, tableKey } from "../core/schema.ts";
import type { TableRules } from "../pipeline/apply-modes.ts";
import type { ChangeApply } from "../pipeline/change-apply.ts";
import { fullLoad } from "../pipeline/full-load.ts";
import type { Attempt } from "./attempt.ts";
import { markForReload, prepareLoads } from "./preparation.ts";
import { finishBuilds, loadContext } from "./run-load.ts";

export interface Reload {
  readonly attempt: Attempt;
  readonly apply: ChangeApply;
  readonly rules: TableRules;
  readonly tables: readonly TableId[];
}

/**
 * Loads tables again while changes of the others go on.
 *
 *     between two batches      the tables count as not loaded; their changes are held from here on
 *     snapshot taken at S      changes up to S are skipped, later ones wait for the rows
 *     rows in                  the gate opens; everything after S is applied as ever
 *     all applied up to S      constraints are built: the others show at least that moment too
 *
 * A crash at any point leaves tables that the journal shows as not loaded: the next attempt loads
 * them before it goes on.
 */
export async function reloadBeside({ attempt, apply, rules, tables }: Reload): Promise<void> {
  const { settings, source, target, journal, plan, errors, statistics, signal } = attempt;
  const wanted = new Set(tables.map(tableKey));
  const plans = plan.tables.filter(({ source: { id } }) => {
    return wanted.has(tableKey(id)) && !attempt.refused.has(tableKey(id));
  });
  if (plans.length === 0) return;
  const positioned = Promise.withResolvers<void>();
  const loaded = Promise.withResolvers<void>();
  // Nobody may be waiting when they fail; whoever waits gives up by the apply's own failure.
  positioned.promise.catch(() => undefined);
  loaded.promise.catch(() => undefined);
  try {
    await apply.between(async () => {
      for (const { source: table } of plans) {
        rules.hold(table.id, { positioned: positioned.promise, loaded: loaded.promise });
      }
      const known = (await journal.tables(signal)).filter((table) => wanted.has(tableKey(table.id)));
      await markForReload(journal, known, signal);
      for (const { source: table } of plans) {
        errors.readmit(table.id);
        statistics.reloading(table.id);
      }
    });
    await using snapshot = await source.openSnapshot(
      {
        ...attempt.streamRequest,
        tables: plans.map((table) => table.source),
        anchor: "existing-stream",
      },
      signal,
    );
    const position = snapshot.position!;
    for (const { source: table } of plans) rules.setWindow(table.id, { oldest: position, newest: position });
    positioned.resolve();
    const loads = await prepareLoads({
      plan: { ...plan, tables: plans },
      target,
      journal,
      mode: settings.prepareMode,
      errors,
      lanes: settings.maxFullLoadSubTasks,
      signal,
    });
    await fullLoad(loads, loadContext(attempt, snapshot));
    for (const { source: table } of plans) rules.release(table.id);
    loaded.resolve();
    await apply.between(() => finishBuilds(attempt), position);
    statistics.setPhase("replicating");
  } catch (error) {
    positioned.reject(error);
    loaded.reject(error);
    throw error;
  }
}
