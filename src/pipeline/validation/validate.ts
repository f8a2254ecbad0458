import { forEachLimited } from "../../base/lanes.ts";
import { Limiter } from "../../base/limiter.ts";
import { readTable, type TablePlan } from "../../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../../core/schema.ts";
import type { Snapshot, Source } from "../../core/source.ts";
import type { Repairs } from "./repair-rows.ts";
import type { TargetPlace } from "./target-place.ts";
import { validateTable } from "./validate-table.ts";
import type { ValidatedSide, ValidationContext } from "./validation-context.ts";
import type { ValidationObserver } from "./validation-observer.ts";

/** How it is known that the target has had what the source had. */
export interface TargetPlaces {
  readonly all: readonly TargetPlace[];
  /** By the source's id of a table. */
  of(table: TableId): TargetPlace;
}

export interface ValidationRequest {
  readonly source: Source;
  /** The target's database, opened as one that is read. */
  readonly target: Source;
  readonly tables: readonly TablePlan[];
  /** What the target really has of the plan's tables, by key (see tableKey, target id). */
  readonly targets: ReadonlyMap<string, TableSchema>;
  readonly places: TargetPlaces;
  /** How many sessions of each side read at once. */
  readonly sessions: number;
  readonly withValues: boolean;
  /** Percent of the rows to look for; undefined for all. */
  readonly sample: number | undefined;
  readonly repairs?: Repairs | undefined;
  /** Columns of large objects are not compared. They are when left out. */
  readonly skipsLobs?: boolean;
  readonly withTotals: boolean;
  readonly observer: ValidationObserver;
  readonly signal: AbortSignal;
}

/**
 * Compares all tables. Both sides are read in snapshots of their own, the target's after it has come to where the source's
 * was taken, so that little differs that is only a matter of time; what does is decided about afterwards (settle.ts).
 */
export async function validate(request: ValidationRequest): Promise<void> {
  const { tables, targets, places, sessions, signal } = request;
  const targetOf = ({ target }: TablePlan): TableSchema | undefined => targets.get(tableKey(target.id));
  const present = tables.filter((plan) => targetOf(plan) !== undefined);
  const open = (from: Source, some: readonly TableSchema[]): Promise<Snapshot> =>
    from.openSnapshot({ taskId: "validate", tables: some, anchor: "none", sessions, prompt: true }, signal);
  const sideOf = (source: Source, snapshot: Snapshot): ValidatedSide => {
    return { source, snapshot, openedMs: performance.now(), sessions: new Limiter(sessions) };
  };
  await using ofSource = await open(request.source, present.map(readTable));
  const source = sideOf(request.source, ofSource);
  await Promise.all(places.all.map((place) => place.begin(signal)));
  await using ofTarget = await open(
    request.target,
    present.map((plan) => targetOf(plan)!),
  );
  const target = sideOf(request.target, ofTarget);
  const failed = new AbortController();
  const context: ValidationContext = {
    ...request,
    signal: AbortSignal.any([signal, failed.signal]),
    sides: { source, target },
    sessionsOfSide: sessions,
    placeOf: (table) => places.of(table),
  };
  await forEachLimited(tables, sessions, async (plan) => {
    try {
      await request.observer.validated(await validateTable(plan, targetOf(plan), context));
    } catch (error) {
      // What ends one table's comparison and is not about that table ends all; others may have hours to go.
      failed.abort(error);
      throw error;
    }
  });
}
