import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { type Column, displayTable, type TableId } from "../../../core/schema.ts";

/** What the endpoint's ZeroDates says to do with dates that no calendar has: 0000-00-00, 2026-02-00, 2026-02-30. */
export type ZeroDates = "keep" | "null" | "error" | "epoch";

export function zeroDatesOf({ settings }: EndpointConfig): ZeroDates {
  const value = settings["ZeroDates"];
  return value === "null" || value === "error" || value === "epoch" ? value : "keep";
}

/** Whether a column's dates come as they are, whatever they are. */
export function keepsZeroDates(
  { holdsZeroDates }: Pick<Column, "holdsZeroDates">,
  choice: ZeroDates,
): boolean {
  return choice === "keep" && holdsZeroDates === true;
}

/** Such a date in a column, which ZeroDates does not let pass, or which may not be NULL. */
export function zeroDateError(table: TableId, column: string, zeroDates: ZeroDates): MigrationError {
  const why =
    zeroDates === "error"
      ? "and ZeroDates is error"
      : "which may not be NULL, and ZeroDates would make it NULL";
  return new MigrationError("source.zero_date", {
    message: `The column ${column} holds a date that no calendar has, ${why}.`,
    subject: displayTable(table),
    table,
  });
}

/** What becomes of the dates of one read that no calendar has. */
export class ZeroDateRule {
  /** So many have been met. */
  count = 0;
  /** Of the first one that may not come: the rows from then on are of no use. A walk that threw could not go on to their end. */
  error: MigrationError | undefined;
  readonly #table: TableId;
  readonly #columns: readonly ZeroDateColumn[];
  readonly #policy: ZeroDates;

  constructor(table: TableId, columns: readonly ZeroDateColumn[], policy: ZeroDates) {
    this.#table = table;
    this.#columns = columns;
    this.#policy = policy;
  }

  /** Whether a column's dates come as they are: then none of it is counted. */
  keeps(column: number): boolean {
    return keepsZeroDates(this.#columns[column]!, this.#policy);
  }

  /** Counts one in a column; true: it comes as the epoch, false: as NULL, unless it is an error. */
  isEpoch(column: number): boolean {
    this.count++;
    if (this.#policy === "epoch") return true;
    const { name, nullable } = this.#columns[column]!;
    if (this.#policy === "error" || !nullable) {
      this.error ??= zeroDateError(this.#table, name, this.#policy);
    }
    return false;
  }
}

interface ZeroDateColumn {
  readonly name: string;
  readonly nullable: boolean;
  readonly holdsZeroDates?: true;
}

/** What is said of `count` dates, that were read in `where`. */
export function zeroDatesText(zeroDates: ZeroDates, where = ""): (count: number) => string {
  const instead = zeroDates === "epoch" ? "1970-01-01" : "NULL";
  return (count) => `${count} dates${where} that no calendar has, such as 0000-00-00, came as ${instead}.`;
}
