import type { MigrationError } from "../core/error.ts";
import type { MigrationPlan } from "../core/plan.ts";
import type { Source, StreamRequest } from "../core/source.ts";
import type { Journal, JournalRequest, Target } from "../core/target.ts";
import type { TableErrors } from "../pipeline/table-errors.ts";
import type { TaskSettings } from "./settings.ts";
import type { TaskStatistics } from "./statistics.ts";
import type { TaskListener, TaskSpec } from "./task.ts";

/** All that one attempt to run a task works with; connections and plan are made anew by the next one. */
export interface Attempt {
  readonly spec: TaskSpec;
  readonly settings: TaskSettings;
  readonly listener: TaskListener;
  readonly statistics: TaskStatistics;
  readonly source: Source;
  readonly target: Target;
  readonly plan: MigrationPlan;
  readonly journal: Journal;
  readonly journalRequest: JournalRequest;
  readonly streamRequest: StreamRequest;
  readonly errors: TableErrors;
  /** Tables that the assessment says cannot be moved, by key. */
  readonly refused: ReadonlyMap<string, MigrationError>;
  readonly signal: AbortSignal;
}
