import type { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { TableId } from "../core/schema.ts";
import type {
  DoneRepair,
  FoundRepair,
  KnownTask,
  PlannedTable,
  RowDifference,
  TableValidation,
  TargetCheck,
} from "../server/validate.ts";
import type { ExitCode } from "./exit-code.ts";
import type { TextStream } from "./output.ts";
import type { ValidationDisplay } from "./validation-display.ts";
import type { TakenOver } from "./validation-progress.ts";
import type { ValidationProgress, ValidationTotals } from "./validation-result.ts";

/** At most two progress events a second. */
const INTERVAL_MS = 500;

/** What `--json` writes: one event a line, each with `event` and `at` (ISO 8601). Members are only ever added. */
export class ValidationJson implements ValidationDisplay {
  readonly #stream: TextStream;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(stream: TextStream, title: string) {
    this.#stream = stream;
    this.#emit("started", { title });
  }

  planned(tables: readonly PlannedTable[]): void {
    const listed = tables.map(({ table, target, estimatedRows }) => ({
      ...nameOf(table),
      ...{ target, estimatedRows: estimatedRows ?? null },
    }));
    this.#emit("planned", { tables: listed });
  }

  resumed(takenOver: TakenOver): void {
    this.#emit("resumed", takenOver);
  }

  progress(current: () => ValidationProgress): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.#emit("progress", numbersOf(current()));
  }

  finding(finding: Finding): void {
    this.#emit("finding", finding);
  }

  task(task: KnownTask): void {
    this.#emit("task", task);
  }

  tasksUnread({ code, message, remedy }: MigrationError): void {
    this.#emit("tasks-unread", { code, message, remedy });
  }

  difference(difference: RowDifference): void {
    this.#emit("difference", differenceJson(difference));
  }

  validated(table: TableValidation): void {
    this.#emit("table", tableJson(table));
  }

  checked({ table, ...check }: TargetCheck): void {
    this.#emit("check", { ...nameOf(table), ...check });
  }

  repairFound(tables: readonly FoundRepair[]): void {
    for (const { table, ...rest } of tables) this.#emit("repair", { ...nameOf(table), ...rest });
  }

  repaired(table: DoneRepair): void {
    this.#emit("repaired", doneJson(table));
  }

  comparesAgain(tables: readonly TableId[]): void {
    this.#emit("compares-again", { tables: tables.map(nameOf) });
  }

  close(): void {}

  end(totals: ValidationTotals, exitCode: ExitCode): void {
    const {
      results,
      checks: _checks,
      findings: _findings,
      tasksUnread: _unread,
      repairs: _repairs,
      repaired: _repaired,
      takenOver = null,
      ...rest
    } = totals;
    const tables: Record<string, number> = {};
    for (const { verdict } of results) tables[verdict] = (tables[verdict] ?? 0) + 1;
    this.#emit("outcome", {
      ...numbersOf(rest),
      ...{ takenOver, verdicts: tables, exitCode },
    });
  }

  #emit(event: string, members: object): void {
    this.#stream.write(`${JSON.stringify({ event, at: new Date().toISOString(), ...members })}\n`);
  }
}

/** What is not known is there, too. */
function numbersOf(progress: ValidationProgress): object {
  const { estimatedRows = null, rowsPerSecond = null, secondsLeft = null } = progress;
  return { ...progress, estimatedRows, rowsPerSecond, secondsLeft };
}

export function differenceJson({ table, key, ...rest }: RowDifference): object {
  return { ...nameOf(table), key: key ?? null, ...rest };
}

export function tableJson({ table, error, ...rest }: TableValidation): object {
  const failed = error === undefined ? {} : { error: error.toJSON() };
  return { ...nameOf(table), ...rest, ...failed };
}

export function doneJson({ table, errors, ...rest }: DoneRepair): object {
  return { ...nameOf(table), ...rest, errors: errors.map((error) => error.toJSON()) };
}

function nameOf({ schema, name }: TableId): { readonly schema: string; readonly name: string } {
  return { schema, name };
}
