import type { ErrorCode } from "./error.ts";
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
}

/** Statements to be run as they are, each with its semicolon. */
export interface Fix {
  readonly side: "source" | "target";
  readonly statements: readonly string[];
}
