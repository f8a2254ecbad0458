import type { ErrorCode } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableSchema } from "../../../core/schema.ts";
import { finding } from "../finding.ts";

/** How many of the things that are told together are named. */
const NAMED = 5;

/** What happens to so many things that one line tells of all of them. */
interface Told {
  readonly code: ErrorCode;
  readonly severity: Finding["severity"];
  readonly subject: string;
  /** What stands before their names. */
  readonly message: string;
}

/** Gathers what a conversion has to tell. */
export class ConvertNotes {
  readonly #findings: Finding[] = [];
  readonly #told = new Map<string, Told & { readonly names: string[] }>();

  /** About one table of the source. */
  about(
    table: TableSchema,
    code: ErrorCode,
    message: string,
    severity: Finding["severity"] = "warning",
  ): void {
    this.#findings.push(
      finding(code, severity, { subject: displayTable(table.id), table: table.id, message }),
    );
  }

  /** One more of those that are told of together. */
  together(name: string, told: Told): void {
    const key = `${told.code} ${told.subject} ${told.message}`;
    const known = this.#told.get(key) ?? { ...told, names: [] };
    this.#told.set(key, known);
    known.names.push(name);
  }

  findings(): readonly Finding[] {
    const together = [...this.#told.values()].map(({ code, severity, subject, message, names }) => {
      const named = names.slice(0, NAMED).join(", ");
      const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
      return finding(code, severity, { subject, message: `${message}: ${named}${more}.` });
    });
    return [...this.#findings, ...together];
  }
}

export function displayColumn({ id }: TableSchema, column: string): string {
  return `${displayTable(id)}.${column}`;
}
