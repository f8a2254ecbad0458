import type { ErrorCode } from "./error.ts";

/** One line of an assessment: what will not work, or not fully, and what to do about it. */
export interface Finding {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning" | "info";
  /** The object it is about: a table, a setting, a privilege. */
  readonly subject: string;
  readonly message: string;
  readonly remedy: string;
}
