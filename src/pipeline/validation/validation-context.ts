import type { Limiter } from "../../base/limiter.ts";
import type { TableId } from "../../core/schema.ts";
import type { Snapshot, Source } from "../../core/source.ts";
import type { SideName } from "./compared-side.ts";
import type { TargetPlace } from "./target-place.ts";
import type { ValidationObserver } from "./validation-observer.ts";

/** One of the two databases. The target is opened as one that is read, too. */
export interface ValidatedSide {
  readonly source: Source;
  /** Shows all tables at one moment. */
  readonly snapshot: Snapshot;
  /** When that has been opened. */
  readonly openedMs: number;
  /** Reads that go on at once. */
  readonly sessions: Limiter;
}

/** What the validation of each table needs. */
export interface ValidationContext {
  readonly sides: Readonly<Record<SideName, ValidatedSide>>;
  readonly sessionsOfSide: number;
  /** How it is known that the target has had what the source had; by the source's id of a table. */
  placeOf(table: TableId): TargetPlace;
  readonly observer: ValidationObserver;
  /** Values of rows that differ are told. */
  readonly withValues: boolean;
  /** Percent of the rows to look for; undefined for all. */
  readonly sample: number | undefined;
  /** Columns of large objects are not compared. They are when left out. */
  readonly skipsLobs?: boolean;
  /** What tables come to on both sides is told, too. */
  readonly withTotals: boolean;
  /** Rows of a table that are held in memory at once. MOST_ROWS when left out. */
  readonly rowsAtOnce?: number;
  readonly signal: AbortSignal;
}

const MOST_ROWS = 200_000;

export function rowsAtOnce({ rowsAtOnce: rows = MOST_ROWS }: ValidationContext): number {
  return rows;
}
