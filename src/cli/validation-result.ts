import type { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type {
  DoneRepair,
  FoundRepair,
  KnownTask,
  PlannedTable,
  RowDifference,
  TableValidation,
  TargetCheck,
  ValidationListener,
} from "../server/validate.ts";
import { ComparedRows } from "./compared-rows.ts";
import type { ProgressFile, TakenOver } from "./validation-progress.ts";

/** How far a validation has come. Rows are those that are read of both sides together; each is read again for totals. */
export interface ValidationProgress {
  readonly rows: number;
  /** Undefined while a table that is not done has no estimate. */
  readonly estimatedRows: number | undefined;
  /** Undefined before there is something to tell it by. */
  readonly rowsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
  readonly differences: number;
  /** Rows that seemed to differ and are looked at again. */
  readonly settling: number;
  readonly tables: number;
  readonly done: number;
  readonly seconds: number;
}

export interface ValidationTotals extends ValidationProgress {
  readonly results: readonly TableValidation[];
  readonly checks: readonly TargetCheck[];
  readonly findings: readonly Finding[];
  /** Why the target's records of tasks could not be read. */
  readonly tasksUnread: MigrationError | undefined;
  /** What would make the target's rows the source's, and what has become of it, where that is asked for. */
  readonly repairs: readonly FoundRepair[];
  readonly repaired: readonly DoneRepair[];
  /** What earlier starts have done; undefined where there was none. */
  readonly takenOver: TakenOver | undefined;
  /** Nothing differs, all that was selected was compared, and nothing is wrong with the target that time does not mend. */
  readonly isEqual: boolean;
}

/** All of its rows and columns were compared, and are the same. */
export function isEqual(table: TableValidation): boolean {
  const { verdict, undecided, uncompared } = table;
  if (hasOtherTotals(table)) return false;
  return verdict === "equal" && undecided === 0 && !uncompared.some(({ isOpen }) => isOpen);
}

/**
 * Totals that are other than the source's say something only where not all rows were compared: where they were, it is known
 * which differ, and totals do, too, when rows come between the two snapshots.
 */
export function hasOtherTotals({ sampled, totals }: TableValidation): boolean {
  return sampled !== undefined && totals?.isSame === false;
}

/** Hears what a validation tells, and how far it has come. */
export interface ValidationHearer {
  planned(tables: readonly PlannedTable[]): void;
  /** Something has changed; `current` tells how far the validation is whenever it is called. */
  progress(current: () => ValidationProgress): void;
  finding(finding: Finding): void;
  task(task: KnownTask): void;
  tasksUnread(error: MigrationError): void;
  difference(difference: RowDifference): void;
  validated(table: TableValidation): void;
  checked(check: TargetCheck): void;
  repairFound(tables: readonly FoundRepair[]): void;
  repaired(table: DoneRepair): void;
  /** What was told of these tables does not hold any more: they have been repaired, and are compared once more. */
  comparesAgain(tables: readonly TableId[]): void;
  /** Results of earlier starts follow. */
  resumed(takenOver: TakenOver): void;
}

/** Whether something has been found that differs, and not only what could not be compared. */
export function isDifferent({ results }: ValidationTotals): boolean {
  return results.some(({ verdict }) => verdict === "different" || verdict === "missing");
}

/** Adds up what a validation tells and hands it on. It keeps a line for each table, and no difference. */
export class ValidationResult implements ValidationListener {
  readonly #hearers: readonly ValidationHearer[];
  readonly #startedMs = performance.now();
  readonly #settling = new Map<string, number>();
  #results: TableValidation[] = [];
  #repairs: readonly FoundRepair[] = [];
  readonly #repaired: DoneRepair[] = [];
  readonly #checks: TargetCheck[] = [];
  readonly #findings: Finding[] = [];
  #tasksUnread: MigrationError | undefined;
  readonly #rows = new ComparedRows();
  readonly #current = (): ValidationProgress => this.#progress();
  readonly #progressFile: ProgressFile | undefined;
  #takenOver: TakenOver | undefined;
  #tables = 0;
  #differences = 0;

  /** `progressFile`: where it is kept what has been done, and what an earlier start has. */
  constructor(hearers: readonly ValidationHearer[], progressFile?: ProgressFile) {
    this.#hearers = hearers;
    this.#progressFile = progressFile;
  }

  totals(): ValidationTotals {
    return {
      ...{ ...this.#progress(), results: this.#results, checks: this.#checks, findings: this.#findings },
      ...{ repairs: this.#repairs, repaired: this.#repaired },
      ...{ tasksUnread: this.#tasksUnread, takenOver: this.#takenOver, isEqual: this.#isEqual() },
    };
  }

  #isEqual(): boolean {
    return (
      this.#results.length === this.#tables &&
      this.#results.every(isEqual) &&
      this.#checks.every(({ isGood, isUnderWay }) => isGood || isUnderWay === true) &&
      this.#findings.every(({ severity }) => severity !== "error")
    );
  }

  planned(tables: readonly PlannedTable[]): void {
    this.#tables = tables.length;
    this.#rows.planned(tables);
    for (const hearer of this.#hearers) hearer.planned(tables);
    this.#tell();
  }

  compared(table: TableId, rows: number): void {
    this.#rows.add(table, rows);
    this.#tell();
  }

  settling(table: TableId, rows: number): void {
    this.#settling.set(tableKey(table), rows);
    this.#tell();
  }

  /** Tells what an earlier start has done of these tables; resolves to their keys. */
  takeOver(file: ProgressFile, tables: readonly PlannedTable[]): ReadonlySet<string> {
    const takenOver = file.takeOver(tables);
    if (takenOver.tables > 0) {
      this.#takenOver = takenOver;
      for (const hearer of this.#hearers) hearer.resumed(takenOver);
    }
    for (const entry of file.taken()) {
      if ("difference" in entry) {
        this.#tellDifference(entry.difference);
        continue;
      }
      const { rows, totals = { rows: { source: 0, target: 0 } } } = entry.table;
      const read = rows.source + rows.target + totals.rows.source + totals.rows.target;
      this.#rows.addBefore(entry.table.table, read);
      this.#tellTable(entry.table);
    }
    return file.done;
  }

  difference(difference: RowDifference): void {
    this.#progressFile?.difference(difference);
    this.#tellDifference(difference);
  }

  #tellDifference(difference: RowDifference): void {
    this.#differences += difference.rows;
    for (const hearer of this.#hearers) hearer.difference(difference);
  }

  validated(table: TableValidation): void {
    this.#progressFile?.validated(table);
    this.#settling.delete(tableKey(table.table));
    this.#rows.end(table.table);
    this.#tellTable(table);
  }

  #tellTable(table: TableValidation): void {
    this.#results.push(table);
    for (const hearer of this.#hearers) hearer.validated(table);
    this.#tell();
  }

  repairFound(tables: readonly FoundRepair[]): void {
    this.#repairs = tables;
    for (const hearer of this.#hearers) hearer.repairFound(tables);
  }

  repaired(table: DoneRepair): void {
    this.#repaired.push(table);
    for (const hearer of this.#hearers) hearer.repaired(table);
  }

  comparesAgain(tables: readonly TableId[]): void {
    const again = new Set(tables.map(tableKey));
    const isAgain = ({ table }: TableValidation): boolean => again.has(tableKey(table));
    for (const { missing, extra, different } of this.#results.filter(isAgain))
      this.#differences -= missing + extra + different;
    this.#results = this.#results.filter((result) => !isAgain(result));
    for (const table of tables) this.#rows.again(table);
    for (const hearer of this.#hearers) hearer.comparesAgain(tables);
    this.#tell();
  }

  checked(check: TargetCheck): void {
    this.#checks.push(check);
    for (const hearer of this.#hearers) hearer.checked(check);
  }

  finding(finding: Finding): void {
    this.#findings.push(finding);
    for (const hearer of this.#hearers) hearer.finding(finding);
  }

  task(task: KnownTask): void {
    for (const hearer of this.#hearers) hearer.task(task);
  }

  tasksUnread(error: MigrationError): void {
    this.#tasksUnread = error;
    for (const hearer of this.#hearers) hearer.tasksUnread(error);
  }

  #tell(): void {
    for (const hearer of this.#hearers) hearer.progress(this.#current);
  }

  #progress(): ValidationProgress {
    const nowMs = performance.now();
    const { read: rows, estimated: estimatedRows } = this.#rows;
    const rowsPerSecond = this.#rows.perSecond(nowMs);
    const isKnown = rowsPerSecond !== undefined && estimatedRows !== undefined;
    return {
      ...{ rows, estimatedRows, rowsPerSecond },
      secondsLeft: isKnown ? (estimatedRows - rows) / rowsPerSecond : undefined,
      differences: this.#differences,
      settling: [...this.#settling.values()].reduce((total, rows) => total + rows, 0),
      tables: this.#tables,
      done: this.#results.length,
      seconds: (nowMs - this.#startedMs) / 1000,
    };
  }
}
