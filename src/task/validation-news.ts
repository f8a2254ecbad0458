import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
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

  /** What was told of the table does not count: it is compared anew because somebody wants to know. */
  forget(id: TableId): void {
    this.#told.delete(tableKey(id));
    this.#isEndTold = false;
  }

  /** `tables`: all that the task has. Rows that are compared again and again are told of when something else is found. */
  tell(table: TableProgress, tables: Iterable<TableProgress>): void {
    const { state = "Not enabled", rowsCompared } = table.validation ?? {};
    if (!verdicts.has(state) || rowsCompared !== undefined) return;
    const key = tableKey(table.id);
    // That it is set aside has been told; nobody waits for it any more.
    if (table.state === "Table error") this.#told.delete(key);
    else if (this.#told.get(key) === state) return;
    else {
      this.#told.set(key, state);
      this.#tellVerdict(table, state);
    }
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
      if (state === "Table error") continue;
      if (!this.#told.has(tableKey(id))) return;
      count++;
      const failed = validation?.failed ?? 0;
      if (failed > 0) differing++;
      rows += failed;
    }
    if (count === 0) return;
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
