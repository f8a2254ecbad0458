import type { Journal } from "../core/journal.ts";
import type { TableId } from "../core/schema.ts";
import type { ValidationFailure, ValidationFailureKind } from "../core/validation-failure.ts";
import type { RowDifference } from "../pipeline/validation/validation-observer.ts";

/** Rows that are recorded together. */
const AT_ONCE = 500;

const KINDS = {
  missing: "MISSING_TARGET",
  extra: "MISSING_SOURCE",
  different: "RECORD_DIFF",
} as const satisfies Record<RowDifference["kind"], ValidationFailureKind>;

/** Records what is found of the rows of one table of the target. */
export class FailureRecords {
  readonly #table: TableId;
  readonly #journal: Journal;
  readonly #signal: AbortSignal;
  #found: ValidationFailure[] = [];
  #settled: (readonly string[])[] = [];
  #hasAny = false;

  constructor(table: TableId, journal: Journal, signal: AbortSignal) {
    this.#table = table;
    this.#journal = journal;
    this.#signal = signal;
  }

  /** Whether anything was found by this one. */
  get hasAny(): boolean {
    return this.#hasAny;
  }

  /** All that was recorded of the table goes. */
  async clear(): Promise<void> {
    await this.#journal.removeValidationFailures(this.#table, undefined, this.#signal);
  }

  /** `key`: as the target is asked for the row. */
  async different(difference: RowDifference, key: readonly string[] | undefined): Promise<void> {
    this.#hasAny = true;
    const kind = KINDS[difference.kind];
    this.#found.push({ table: this.#table, kind, key, details: detailsOf(difference) });
    if (this.#found.length >= AT_ONCE) await this.flush();
  }

  async same(key: readonly string[]): Promise<void> {
    this.#settled.push(key);
    if (this.#settled.length >= AT_ONCE) await this.flush();
  }

  /** Something about the table as a whole. */
  async warning(details: string): Promise<void> {
    this.#hasAny = true;
    this.#found.push({ table: this.#table, kind: "TABLE_WARNING", key: undefined, details });
  }

  async flush(): Promise<void> {
    const [found, settled] = [this.#found, this.#settled];
    this.#found = [];
    this.#settled = [];
    if (settled.length > 0) await this.#journal.removeValidationFailures(this.#table, settled, this.#signal);
    if (found.length > 0) await this.#journal.addValidationFailures(found, this.#signal);
  }
}

/** In AWS DMS's way where values are asked for: pairs of what the source has and what the target has. */
function detailsOf({ kind, rows, key, columns, values }: RowDifference): string {
  if (kind !== "different")
    return key === undefined || rows > 1 ? `${rows} ${rows === 1 ? "row" : "rows"}` : "";
  if (values === undefined) return columns.join(", ");
  const pairs = columns.map((name) =>
    [values.source, values.target].map((side) => ({ [name]: side?.[name] ?? null })),
  );
  return JSON.stringify(pairs);
}
