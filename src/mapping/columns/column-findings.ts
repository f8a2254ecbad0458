import type { ErrorCode } from "../../core/error.ts";
import { errorTable } from "../../core/error-table.ts";
import type { Finding } from "../../core/finding.ts";
import { displayTable, type TableId } from "../../core/schema.ts";

/** Gathers what is to be said of one table's columns. */
export class ColumnFindings {
  readonly #table: TableId;
  readonly #findings: Finding[] = [];

  constructor(table: TableId) {
    this.#table = table;
  }

  get all(): readonly Finding[] {
    return this.#findings;
  }

  /** `message` is one or more sentences. */
  add(code: ErrorCode, severity: Finding["severity"], message: string): void {
    this.#findings.push({
      ...{ code, severity, message },
      subject: displayTable(this.#table),
      table: this.#table,
      remedy: errorTable[code].remedy,
    });
  }

  /** A rule that cannot be carried out for a column. */
  impossible(rule: number, what: string): void {
    this.add("mapping.rule_impossible", "error", `Rule ${rule} cannot be carried out: ${what}.`);
  }

  /** What is part of the table and does not come. */
  leftOut(part: string, why: string): void {
    this.add("plan.part_left_out", "warning", `${part} of ${displayTable(this.#table)} is left out: ${why}.`);
  }
}

/** Names in a sentence. */
export function listed(names: readonly string[]): string {
  return names.join(", ");
}
