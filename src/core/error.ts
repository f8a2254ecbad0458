import { errorTable } from "./error-table.ts";
import type { TableId } from "./schema.ts";

export type ErrorCode = keyof typeof errorTable;

/** How much an error takes with it. */
export type ErrorScope = "record" | "table" | "task" | "server" | "usage";

/**
 * What may help: "backoff" the same thing later; "once-worked" the same, when the task has been under way
 * before, because else the cause is likely to stay: a wrong address, a slot that another program reads, a quota;
 * "never" nothing until somebody mends the cause.
 */
export type ErrorRetry = "backoff" | "once-worked" | "never";

export interface ErrorKind {
  readonly scope: ErrorScope;
  readonly retry: ErrorRetry;
  /** What the code means, for the reference. */
  readonly meaning: string;
  /** What to do, in general; an error may carry a more exact remedy. */
  readonly remedy: string;
  /** Of codes that warnings have: what happens when it is passed over, where the meaning does not say so. */
  readonly ignored?: string;
  /**
   * Of codes that errors of an assessment have: true where a server, or the step that needs it, refuses what the error foretells
   * when it comes to it, so that nothing is lost by going on; else why a start may not pass over it.
   */
  readonly passOver?: true | string;
}

export interface ErrorDetails {
  /** One sentence without row values, passwords or keys. */
  readonly message: string;
  /** The object concerned: a table, a slot, a setting, host:port. */
  readonly subject?: string;
  readonly table?: TableId;
  readonly remedy?: string;
  readonly cause?: unknown;
  /** The server's own code, e.g. an SQLSTATE. */
  readonly nativeCode?: string;
  /** The target refuses a single row and takes others of the same table. */
  readonly isOfRow?: boolean;
}

/** The only error the program throws on purpose. Every code stands in error-table.ts. */
export class MigrationError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly table: TableId | undefined;
  readonly remedy: string;
  readonly nativeCode: string | undefined;
  /** The target refuses a single row and takes others of the same table. */
  readonly isOfRow: boolean;

  constructor(code: ErrorCode, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "MigrationError";
    this.code = code;
    this.subject = details.subject;
    this.table = details.table;
    this.nativeCode = details.nativeCode;
    this.isOfRow = details.isOfRow ?? false;
    this.remedy = details.remedy ?? errorTable[code].remedy;
  }

  get scope(): ErrorScope {
    return errorTable[this.code].scope;
  }

  get retry(): ErrorRetry {
    return errorTable[this.code].retry;
  }

  /** Plain data for another process or a log; never a cause's raw text, which may hold row values. */
  toJSON(): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      ...(this.subject === undefined ? {} : { subject: this.subject }),
      ...(this.table === undefined ? {} : { table: this.table }),
      ...(this.nativeCode === undefined ? {} : { nativeCode: this.nativeCode }),
      ...(this.isOfRow ? { isOfRow: true } : {}),
    };
  }

  static fromJSON(record: ErrorRecord): MigrationError {
    return new MigrationError(record.code, record);
  }
}

export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly subject?: string;
  readonly table?: TableId;
  readonly nativeCode?: string;
  readonly isOfRow?: boolean;
}

/** What a call for many tables says of one of them: a table's own error leaves the others alone. */
export type TableOutcome<Value> = Value | MigrationError;

/** Any thrown thing as a MigrationError; what is not one is a defect of the program. */
export function asMigrationError(error: unknown): MigrationError {
  if (error instanceof MigrationError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return new MigrationError("internal.unexpected", {
    message: `Unexpected ${name} inside Tideway.`,
    cause: error,
  });
}
