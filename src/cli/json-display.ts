import type { Finding } from "../core/finding.ts";
import { tableKey } from "../core/schema.ts";
import type {
  LagProgress,
  LogProgress,
  TableProgress,
  TaskListener,
  TaskOutcome,
  TaskPhase,
  TaskProgress,
} from "../task/task.ts";
import type { TextStream } from "./output.ts";
import { progressTotals } from "./progress-rates.ts";
import { type ValidationTally, validationTally } from "./table-validation.ts";
import type { TaskDisplay } from "./task-display.ts";

/** At most two progress events a second, besides those of a new phase. */
const INTERVAL_MS = 500;

/**
 * What `--json` writes: one event a line, each with `event` and `at` (ISO 8601). Members are only
 * ever added. Numbers are rows, bytes, seconds or, where named so, milliseconds.
 */
export type JsonEvent =
  | {
      readonly event: "started";
      readonly taskId: string;
      readonly type: string;
      readonly start: string;
      readonly source: string;
      readonly target: string;
    }
  | ({ readonly event: "progress" } & JsonProgress)
  | ({ readonly event: "finding" } & Finding)
  | {
      readonly event: "log";
      readonly level: string;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly event: "note"; readonly message: string }
  | {
      readonly event: "error";
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
      readonly subject?: string;
    }
  | ({
      readonly event: "outcome";
      readonly state: "stopped" | "failed";
      readonly stopReason: string;
      readonly exitCode: number;
      readonly error: TaskOutcome["error"] | null;
      readonly suspendedTables: readonly { readonly schema: string; readonly name: string }[];
    } & JsonProgress);

/** Totals of all tables; `tables` holds those that changed since the progress event before. */
export interface JsonProgress {
  readonly phase: TaskPhase;
  readonly fullLoadPercent: number;
  readonly fullLoadSecondsLeft: number | null;
  readonly rowsLoaded: number;
  readonly bytesLoaded: number;
  readonly changesApplied: number;
  readonly conflicts: number;
  readonly rowsLeftOut: number;
  readonly valuesCut: number;
  readonly tableCounts: {
    readonly waiting: number;
    readonly loading: number;
    readonly loaded: number;
    readonly error: number;
  };
  readonly lag: LagProgress | null;
  readonly log: LogProgress | null;
  /** null when the task does not compare. */
  readonly validation: ValidationTally | null;
  readonly recoveryCheckpoint: string | null;
  readonly tables: readonly JsonTable[];
}

export type JsonTable = Omit<TableProgress, "id"> & { readonly schema: string; readonly name: string };

export class JsonDisplay implements TaskDisplay {
  readonly #stream: TextStream;
  readonly #told = new Map<string, string>();
  #phase: TaskPhase | undefined;
  #latest: TaskProgress | undefined;
  #due: NodeJS.Timeout | undefined;

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  emit(event: JsonEvent): void {
    const { event: name, ...members } = event;
    this.#stream.write(`${JSON.stringify({ event: name, at: new Date().toISOString(), ...members })}\n`);
  }

  /** The first report at once, those that follow soon after together, so that none is lost. */
  progress(progress: TaskProgress): void {
    this.#latest = progress;
    if (progress.phase === this.#phase && this.#due !== undefined) return;
    this.#phase = progress.phase;
    this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    if (this.#latest === undefined) return;
    this.emit({ event: "progress", ...this.#changed(this.#latest) });
    this.#latest = undefined;
    this.#due = setTimeout(() => this.#tell(), INTERVAL_MS);
    this.#due.unref();
  }

  finding(finding: Finding): void {
    this.emit({ event: "finding", ...finding });
  }

  log: TaskListener["log"] = (level, message, fields) => {
    if (level !== "debug") this.emit({ event: "log", level, message, fields });
  };

  note(text: string): void {
    this.emit({ event: "note", message: text });
  }

  /** The outcome event is written by whoever knows the exit code. */
  close(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    this.#latest = undefined;
  }

  outcome(outcome: TaskOutcome, exitCode: number): void {
    this.emit({
      event: "outcome",
      state: outcome.state,
      stopReason: outcome.stopReason,
      exitCode,
      error: outcome.error ?? null,
      suspendedTables: outcome.suspendedTables,
      ...this.#changed(outcome.progress),
    });
  }

  #changed(progress: TaskProgress): JsonProgress {
    const totals = progressTotals(progress);
    const tables: JsonTable[] = [];
    for (const { id, ...rest } of progress.tables) {
      const table = { schema: id.schema, name: id.name, ...rest };
      const text = JSON.stringify(table);
      const key = tableKey(id);
      if (this.#told.get(key) === text) continue;
      this.#told.set(key, text);
      tables.push(table);
    }
    return {
      phase: progress.phase,
      fullLoadPercent: progress.fullLoadPercent,
      fullLoadSecondsLeft: progress.fullLoadSecondsLeft ?? null,
      rowsLoaded: totals.rows,
      bytesLoaded: totals.bytes,
      changesApplied: totals.changes,
      conflicts: totals.conflicts,
      rowsLeftOut: totals.leftOut,
      valuesCut: totals.cutValues,
      tableCounts: {
        waiting: totals.waiting,
        loading: totals.loading,
        loaded: totals.completed,
        error: totals.failed,
      },
      lag: progress.lag ?? null,
      log: progress.log ?? null,
      validation: validationTally(progress.tables) ?? null,
      recoveryCheckpoint: progress.recoveryCheckpoint ?? null,
      tables,
    };
  }
}
