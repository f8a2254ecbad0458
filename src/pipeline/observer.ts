import type { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { Position } from "../core/position.ts";
import type { TableId } from "../core/schema.ts";
import type { AppliedCounts, AppliedProgress } from "../core/target.ts";

/** What the pipeline tells about its work. Ids are the source's. Calls are cheap and never throw. */
export interface PipelineObserver {
  loadStarted(table: TableId): void;
  /** Rows and bytes of COPY data moved since the last call; negative when a partition was given up. */
  loadMoved(table: TableId, rows: number, bytes: number): void;
  /** Rows of a partition that were passed over; they were counted as moved. */
  loadLeftOut(table: TableId, rows: Pick<AppliedCounts, "refused" | "logged">): void;
  /** Values of rows that have come, or of changes that are taken, were cut off. */
  valuesCut(table: TableId, count: number): void;
  /** All parts of the table are to be read again, those that were done, too. */
  loadForgotten(table: TableId): void;
  loadFinished(table: TableId): void;
  /** What is being built now; undefined when nothing more is. */
  building(table: TableId, subject: string | undefined): void;
  tableFailed(table: TableId, error: MigrationError): void;
  finding(finding: Finding): void;
  /** Changes that the target is to apply, per table key. */
  taken(counts: ReadonlyMap<string, AppliedCounts>): void;
  /** Those of them that no earlier attempt had taken. */
  captured(counts: ReadonlyMap<string, AppliedCounts>): void;
  /** Changes that the target has committed. */
  applied(progress: AppliedProgress): void;
  /** Everything applied up to here outlives a crash of the target. */
  durable(position: Position): void;
}
