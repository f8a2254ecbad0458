import type { EndpointConfig } from "../core/engine.ts";
import type { MigrationError } from "../core/error.ts";
import type { WatchedJournal } from "../core/journal.ts";
import type { TableId } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import type { FollowedPlace, TargetPlace } from "../pipeline/validation/target-place.ts";
import type { TargetPlaces } from "../pipeline/validation/validate.ts";

export interface PlacesRequest {
  readonly source: Source;
  readonly target: Target;
  /** The target's. */
  readonly endpoint: EndpointConfig;
  /** The source's ids of the tables that are compared. */
  readonly tables: readonly TableId[];
}

/** A task that brings rows of tables that are compared. */
export interface BringingTask extends Pick<WatchedJournal, "watched"> {
  readonly id: string;
  /** The source's ids of those of the tables that it is about. */
  readonly tables: readonly TableId[];
  /** How it is known how far it is; undefined where it brings no changes. */
  readonly place?: FollowedPlace;
}

export interface FoundPlaces {
  readonly places: TargetPlaces;
  /** Those that bring changes to the tables. */
  readonly tasks: readonly BringingTask[];
  /** Those that load such tables at this time, and bring no changes. */
  readonly loading: readonly BringingTask[];
  /** Why the target's records of tasks could not be read. */
  readonly unread: MigrationError | undefined;
}

/** Finds out how it is known how far the target is, for a task that moves nothing itself. */
export type FindPlaces = (request: PlacesRequest, signal: AbortSignal) => Promise<FoundPlaces>;

/** All tables' rows are brought in one way. */
export function onePlace(place: TargetPlace): TargetPlaces {
  return { all: [place], of: () => place };
}
