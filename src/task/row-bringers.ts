import type { TableId } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { TableRules } from "../pipeline/apply-modes.ts";
import type { ChangeApply } from "../pipeline/change-apply.ts";
import { AppliedPlace } from "../pipeline/validation/applied-place.ts";
import type { TargetPlaces } from "../pipeline/validation/validate.ts";
import { onePlace } from "./target-places.ts";

/** Who brings the rows of tables that are compared beside changes, and how far that is. */
export interface RowBringers {
  readonly places: TargetPlaces;
  /** Whether the table has its rows, and its changes are applied. */
  isReady(table: TableId): boolean;
  /**
   * To be called before anything is compared, and then again and again: looks who brings rows by now, and what the target's
   * tables are. Resolves with the source's ids of tables of which what was found does not count any more. Nothing is to be
   * looked at when left out.
   */
  look?(target: Source, signal: AbortSignal): Promise<readonly TableId[]>;
}

/** The task's own apply does. */
export function ownApply(
  { apply, rules }: { readonly apply: ChangeApply; readonly rules: TableRules },
  source: Source,
): RowBringers {
  const place = new AppliedPlace({
    positions: source.positions,
    end: (signal) => source.currentPosition(signal),
    passes: (position) => apply.shows(position),
  });
  return { places: onePlace(place), isReady: (table) => rules.gateOf(table) === undefined };
}
