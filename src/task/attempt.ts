import type { MigrationError } from "../core/error.ts";
import type { Journal, JournalRequest } from "../core/journal.ts";
import type { MigrationPlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import type { TableId } from "../core/schema.ts";
import type { Source, StreamRequest } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import type { Rereads } from "../pipeline/rereads.ts";
import type { Screening } from "../pipeline/screening.ts";
import type { TableErrors } from "../pipeline/table-errors.ts";
import type { TaskSettings } from "./settings.ts";
import type { TaskStatistics } from "./statistics.ts";
import type { FindPlaces } from "./target-places.ts";
import type { TaskListener, TaskSpec } from "./task.ts";
import type { ValidationBook } from "./validation-book.ts";

/** All that one attempt to run a task works with; connections and plan are made anew by the next one. */
export interface Attempt {
  readonly spec: TaskSpec;
  readonly settings: TaskSettings;
  readonly listener: TaskListener;
  readonly statistics: TaskStatistics;
  readonly source: Source;
  readonly target: Target;
  readonly plan: MigrationPlan;
  /** Keys of the source's tables that the selection rules took when the attempt was planned. */
  readonly selected: ReadonlySet<string>;
  readonly journal: Journal;
  readonly journalRequest: JournalRequest;
  readonly streamRequest: StreamRequest;
  readonly notes: AttemptNotes;
  readonly errors: TableErrors;
  readonly rereads: Rereads;
  /** Of tables whose snapshots have shown no one moment. */
  readonly tornReads: Rereads;
  readonly screening: Screening;
  /** Undefined unless the task compares source and target. */
  readonly validation: ValidationBook | undefined;
  /** Opens the target's database as one that is read. */
  readonly readTarget: (signal: AbortSignal) => Promise<Source>;
  readonly findPlaces: FindPlaces;
  /** Tables that the assessment says cannot be moved, by key. */
  readonly refused: ReadonlyMap<string, MigrationError>;
  readonly signal: AbortSignal;
}

/** What the attempt expects of the source's notes of schema changes. */
export interface AttemptNotes {
  /** Tables are taken as they were where the stream goes on: every change since is noted in it. */
  readonly followed: boolean;
  /** From here on the source notes what changes. */
  readonly kept: boolean;
  /** The catalog that the attempt was planned with shows all that committed before; undefined without a stream. */
  readonly planned: Position | undefined;
  /** Tables that differ from the source's: their notes lie ahead in the stream. */
  readonly awaited: readonly TableId[];
  /** Keys of the tables that were taken as the journal describes them. */
  readonly recalled: ReadonlySet<string>;
}

/** Tables are not what the attempt took them for, though the stream has told nothing: they are taken as they are. */
export class TablesUntold extends Error {
  readonly tables: readonly TableId[];

  constructor(tables: readonly TableId[]) {
    super();
    this.tables = tables;
  }
}

/** Not a failure: what the attempt was planned with, or has read from, does not serve any more. */
export class AttemptOutdated extends Error {}

/** The source's notes went between being found and being read. */
export class NotesLost extends AttemptOutdated {}
