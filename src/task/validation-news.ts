import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import type { ValidationState } from "../core/validation-failure.ts";
import type { TableProgress, TaskListener } from "./task.ts";

/** In these a table's rows have been compared, or it is known that they cannot be. */
const verdicts: ReadonlySet<ValidationState> = new Set<ValidationState>([
  "Validated",
  "Mismatched records",
  "Suspended records",
  "No primary key",
  "Table error",
  "Error",
]);

/** Rows that wait to be compared again say nothing of what was found before. */
const inBetween: ValidationState = "Pending records";

interface NewsOptions {
  readonly log: TaskListener["log"];
  /** A finding that was told before is not told again. */
  readonly finding: (finding: Finding) => void;
}

/** Says what a task's validation has found: of each table when that changes, and when all tables have been compared. */
export class ValidationNews {
  readonly #options: NewsOptions;
  /** What was told of each table last. */
  readonly #told = new Map<string, ValidationState>();
  #isEndTold = false;

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** `tables`: all that the task has. */
  tell(table: TableProgress, tables: Iterable<TableProgress>): void {
    const state = table.validation?.state ?? "Not enabled";
    if (state === inBetween) return;
    const key = tableKey(table.id);
    if (!verdicts.has(state)) {
      this.#told.delete(key);
      this.#isEndTold = false;
      return;
    }
    if (this.#told.get(key) === state) return;
    this.#told.set(key, state);
    this.#tellVerdict(table, state);
    if (!this.#isEndTold) this.#tellEnd(tables);
  }

  #tellVerdict(table: TableProgress, state: ValidationState): void {
    const { log, finding } = this.#options;
    const name = { table: tableKey(table.id) };
    const { failed = 0, suspended = 0, details } = table.validation ?? {};
    if (state === "Validated") log("info", "table is validated", name);
    else if (state === "Mismatched records") {
      log("warn", "rows differ", { ...name, rows: failed });
      finding(differenceFinding(table));
    } else if (state === "Suspended records")
      log("warn", "rows are not decided", { ...name, rows: suspended });
    else log("warn", "table is not validated", { ...name, state, reason: details });
  }

  #tellEnd(tables: Iterable<TableProgress>): void {
    let count = 0;
    let differing = 0;
    let rows = 0;
    for (const { id, state, validation } of tables) {
      const isAside = state === "Table error" && validation === undefined;
      if (isAside) continue;
      if (!this.#told.has(tableKey(id))) return;
      count++;
      const failed = validation?.failed ?? 0;
      if (failed > 0) differing++;
      rows += failed;
    }
    this.#isEndTold = true;
    this.#options.log("info", "all tables have been compared", { tables: count, differing, rows });
  }
}

function differenceFinding({ id }: TableProgress): Finding {
  return {
    code: "validation.rows_differ",
    severity: "warning",
    subject: displayTable(id),
    table: id,
    message: "Rows of the table differ between source and target, and are recorded on the target.",
    remedy: errorTable["validation.rows_differ"].remedy,
  };
}
