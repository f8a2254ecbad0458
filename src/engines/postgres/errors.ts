import type { EndpointConfig } from "../../core/engine.ts";
import { type ErrorCode, MigrationError } from "../../core/error.ts";
import { displayTable, type TableId } from "../../core/schema.ts";
import { ServerError } from "./server-error.ts";

export type Side = "source" | "target";

export interface ErrorContext {
  readonly side: Side;
  readonly endpoint?: EndpointConfig;
  /** The table at work, when the error is that table's alone. Always the source's id. */
  readonly table?: TableId;
}

/** Any error of the driver, the socket or the server as a MigrationError without row values. */
export function classify(error: unknown, context: ErrorContext): MigrationError {
  if (error instanceof MigrationError) return error;
  const code = nativeCode(error);
  const tableCode: ErrorCode = context.side === "source" ? "source.table_unreadable" : "load.rejected";
  const taskCode: ErrorCode = context.side === "source" ? "source.query_failed" : "target.query_failed";
  return new MigrationError(context.table === undefined ? taskCode : tableCode, {
    message: `The ${context.side} answered with ${code ?? "an error"}.`,
    cause: error,
    ...(code === undefined ? {} : { nativeCode: code }),
    ...(context.table === undefined ? {} : { table: context.table, subject: displayTable(context.table) }),
  });
}

function nativeCode(error: unknown): string | undefined {
  if (error instanceof ServerError) return error.fields.code;
  if (error !== null && typeof error === "object" && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return undefined;
}
