import type { MigrationError } from "../core/error.ts";
import { type TableId, tableKey } from "../core/schema.ts";

/**
 * Where rows of a task have been refused by the target, and are to be passed over: from then on they are looked for
 * row by row. Lives as long as the task runs; the next run finds out anew.
 */
export class Screening {
  /** Changes of all tables are screened. */
  changes = false;
  readonly #records: boolean;
  readonly #loads = new Set<string>();

  /** `records`: whether refused rows are passed over at all. */
  constructor(records: boolean) {
    this.#records = records;
  }

  /** Whether an error is that of a row which is to be passed over. */
  takes(error: unknown): error is MigrationError {
    return this.#records && (error as Partial<MigrationError>).isOfRow === true;
  }

  /** Whether the rows of a table are screened when they are loaded. */
  ofLoad(table: TableId): boolean {
    return this.#loads.has(tableKey(table));
  }

  screenLoad(table: TableId): void {
    this.#loads.add(tableKey(table));
  }
}
