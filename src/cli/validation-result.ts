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

/** How far a validation has come. Rows are those of both sides together. */
export interface ValidationProgress {
  readonly rows: number;
  /** Undefined where a table has no estimate. */
  readonly estimatedRows: number | undefined;
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
  /** Nothing differs, all that was selected was compared, and nothing is wrong with the target that time does not mend. */
  readonly isEqual: boolean;
}

/** All of its rows and columns were compared, and are the same. */
export function isEqual({ verdict, undecided, uncompared }: TableValidation): boolean {
  return verdict === "equal" && undecided === 0 && !uncompared.some(({ isOpen }) => isOpen);
}

/** Hears what a validation tells, and how far it has come. */
export interface ValidationHearer {
  planned(tables: readonly PlannedTable[]): void;
  progress(progress: ValidationProgress): void;
  finding(finding: Finding): void;
  task(task: KnownTask): void;
  tasksUnread(error: MigrationError): void;
  difference(difference: RowDifference): void;
  validated(table: TableValidation): void;
  checked(check: TargetCheck): void;
  repairFound(tables: readonly FoundRepair[]): void;
  repaired(table: DoneRepair): void;
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
  #results: readonly TableValidation[] = [];
  #repairs: readonly FoundRepair[] = [];
  readonly #repaired: DoneRepair[] = [];
  readonly #checks: TargetCheck[] = [];
  readonly #findings: Finding[] = [];
  #tasksUnread: MigrationError | undefined;
  #tables = 0;
  #estimatedRows: number | undefined = 0;
  #rows = 0;
  #differences = 0;

  constructor(hearers: readonly ValidationHearer[]) {
    this.#hearers = hearers;
  }

  totals(): ValidationTotals {
    return {
      ...{ ...this.#progress(), results: this.#results, checks: this.#checks, findings: this.#findings },
      ...{ repairs: this.#repairs, repaired: this.#repaired },
      ...{ tasksUnread: this.#tasksUnread, isEqual: this.#isEqual() },
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
    for (const { estimatedRows } of tables) {
      if (estimatedRows === undefined || this.#estimatedRows === undefined) this.#estimatedRows = undefined;
      else this.#estimatedRows += estimatedRows;
    }
    for (const hearer of this.#hearers) hearer.planned(tables);
    this.#tell();
  }

  compared(_table: TableId, rows: number): void {
    this.#rows += rows;
    this.#tell();
  }

  settling(table: TableId, rows: number): void {
    this.#settling.set(tableKey(table), rows);
    this.#tell();
  }

  difference(difference: RowDifference): void {
    this.#differences += difference.rows;
    for (const hearer of this.#hearers) hearer.difference(difference);
  }

  validated(table: TableValidation): void {
    this.#settling.delete(tableKey(table.table));
    this.#results = [...this.#results, table];
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
    this.#results = this.#results.filter(({ table }) => !again.has(tableKey(table)));
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
    const progress = this.#progress();
    for (const hearer of this.#hearers) hearer.progress(progress);
  }

  #progress(): ValidationProgress {
    return {
      rows: this.#rows,
      estimatedRows: this.#estimatedRows,
      differences: this.#differences,
      settling: [...this.#settling.values()].reduce((total, rows) => total + rows, 0),
      tables: this.#tables,
      done: this.#results.length,
      seconds: (performance.now() - this.#startedMs) / 1000,
    };
  }
}
