import type { ErrorCode, ErrorKind } from "./error.ts";
import { errorTable } from "./error-table.ts";
import type { TableId } from "./schema.ts";

/** One line of an assessment: what will not work, or not fully, and what to do about it. */
export interface Finding {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning" | "info";
  /** The object it is about: a table, a setting, a privilege. */
  readonly subject: string;
  /** The source's id when it is about one table; an error about a table sets that table aside. */
  readonly table?: TableId;
  readonly message: string;
  readonly remedy: string;
  /** What mends it, where statements do; the remedy holds them too, with what else is to be done. */
  readonly fix?: Fix;
  /** It was an error, and the task is told to start all the same. */
  readonly passedOver?: true;
}

/** Statements to be run as they are, each with its semicolon. */
export interface Fix {
  readonly side: "source" | "target";
  readonly statements: readonly string[];
}

/** What happens when nobody does anything about it. */
export function ifIgnored({
  code,
  severity,
  passedOver,
}: Pick<Finding, "code" | "severity" | "passedOver">): string {
  const { scope, ignored, meaning }: ErrorKind = errorTable[code];
  if (passedOver === true) {
    return scope === "table"
      ? "The table is moved all the same; if it is refused then, it is set aside, or the task ends."
      : "The task starts all the same; if what this is about is refused then, the task ends.";
  }
  if (severity !== "error") return ignored ?? meaning;
  return scope === "table"
    ? "The table is set aside; the others are moved without it."
    : "The task does not start.";
}

/** Where the documentation says more of a code. */
export function docsPlace(code: ErrorCode): string {
  return `docs/reference/errors.md#${code}`;
}
