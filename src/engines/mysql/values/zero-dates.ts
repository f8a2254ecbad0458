import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import { finding } from "../../shared/finding.ts";

/** What the endpoint's ZeroDates says to do with dates that no calendar has: 0000-00-00, 2026-02-00, 2026-02-30. */
export type ZeroDates = "null" | "error" | "epoch";

export function zeroDatesOf({ settings }: EndpointConfig): ZeroDates {
  const value = settings["ZeroDates"];
  return value === "error" || value === "epoch" ? value : "null";
}

/** Such a date in a column, which ZeroDates does not let pass, or which may not be NULL. */
export function zeroDateError(table: TableId, column: string, zeroDates: ZeroDates): MigrationError {
  const why =
    zeroDates === "error" ? "and ZeroDates is error" : "which may not be NULL, and ZeroDates makes it NULL";
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
  /** None is an error: what is written is thrown away. */
  isLenient = false;
  readonly #table: TableId;
  readonly #columns: readonly ZeroDateColumn[];
  readonly #policy: ZeroDates;

  constructor(table: TableId, columns: readonly ZeroDateColumn[], policy: ZeroDates) {
    this.#table = table;
    this.#columns = columns;
    this.#policy = policy;
  }

  /** Counts one in a column; true: it comes as the epoch, false: as NULL. Throws `source.zero_date`. */
  isEpoch(column: number): boolean {
    this.count++;
    if (this.#policy === "epoch") return true;
    const { name, nullable } = this.#columns[column]!;
    if (!this.isLenient && (this.#policy === "error" || !nullable)) {
      throw zeroDateError(this.#table, name, this.#policy);
    }
    return false;
  }
}

interface ZeroDateColumn {
  readonly name: string;
  readonly nullable: boolean;
}

/** Counts, for each table, the dates that came as NULL or the epoch. */
export class ZeroDateCounts {
  readonly #counts = new Map<string, { readonly table: TableId; readonly count: number }>();

  add(table: TableId, count: number): void {
    if (count === 0) return;
    const key = tableKey(table);
    this.#counts.set(key, { table, count: count + (this.#counts.get(key)?.count ?? 0) });
  }

  findings(zeroDates: ZeroDates): readonly Finding[] {
    const instead = zeroDates === "epoch" ? "1970-01-01" : "NULL";
    return [...this.#counts.values()].map(({ table, count }) =>
      finding("source.zero_date", "warning", {
        subject: displayTable(table),
        table,
        message: `${count} dates that no calendar has, such as 0000-00-00, came as ${instead}.`,
      }),
    );
  }
}
