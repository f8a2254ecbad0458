import pg from "pg";
import { asMigrationError, MigrationError } from "../../../core/error.ts";
import type { ErrorContext } from "./error-context.ts";
import { networkError } from "./network-error.ts";
import { ServerError, type ServerErrorFields } from "./server-error.ts";
import { serverVerdict } from "./server-verdict.ts";
import { errorAddress } from "./verdict.ts";

export type { ErrorContext, Side } from "./error-context.ts";

/**
 * Any error of the driver, the socket or the server as a MigrationError without row values. What the
 * server said is not kept as cause: its detail may hold a row.
 */
export function classify(error: unknown, context: ErrorContext): MigrationError {
  if (error instanceof MigrationError) return located(error, context);
  const fields = serverFields(error);
  if (fields !== undefined) return serverVerdict(fields, context);
  if (error instanceof Error && error.name === "AbortError") {
    return new MigrationError("task.stopped_by_request", { message: "Stopped on request.", cause: error });
  }
  return networkError(error, context) ?? asMigrationError(error);
}

/** What is wrong with one statement about one object, and with nothing else: the rest may go on. */
export function isOwnFault({ code, nativeCode }: MigrationError): boolean {
  return nativeCode !== undefined && (code === "target.query_failed" || code === "target.privilege");
}

/** A lost connection's error is made where nobody knows which connection it was. */
function located(error: MigrationError, context: ErrorContext): MigrationError {
  if (error.code !== "connect.lost" || error.subject !== undefined || context.endpoint === undefined) {
    return error;
  }
  return new MigrationError(error.code, {
    message: `The connection to the ${context.side} was lost.`,
    subject: errorAddress(context.endpoint),
    cause: error.cause,
  });
}

function serverFields(error: unknown): ServerErrorFields | undefined {
  if (error instanceof ServerError) return error.fields;
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined;
  const { severity, code, message, detail, where, schema, table, column, constraint } = error;
  return { severity: severity ?? "ERROR", code, message, detail, where, schema, table, column, constraint };
}
