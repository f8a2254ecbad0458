import pg from "pg";
import type { MigrationError } from "../../../core/error.ts";
import { classifyError, type EngineErrors } from "../../shared/connection/classify-error.ts";
import type { ErrorContext } from "../../shared/connection/error-context.ts";
import { errorAddress } from "./address.ts";
import { driverVerdict } from "./driver-verdict.ts";
import { ServerError, type ServerErrorFields } from "./server-error.ts";
import { serverVerdict } from "./server-verdict.ts";

const engineErrors: EngineErrors<ServerErrorFields> = {
  address: errorAddress,
  socketRemedy:
    "Check that the server runs and that unix_socket_directories holds this directory and its port is the endpoint's.",
  driverVerdict,
  serverFields,
  serverVerdict,
};

/** Any error of the driver, the socket or the server as a MigrationError without row values. */
export function classify(error: unknown, context: ErrorContext): MigrationError {
  return classifyError(error, context, engineErrors);
}

/** What is wrong with one statement about one object, and with nothing else: the rest may go on. */
export function isOwnFault({ code, nativeCode }: MigrationError): boolean {
  return nativeCode !== undefined && (code === "target.query_failed" || code === "target.privilege");
}

function serverFields(error: unknown): ServerErrorFields | undefined {
  if (error instanceof ServerError) return error.fields;
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined;
  const { severity, code, message, detail, where, schema, table, column, constraint, file } = error;
  const named = { schema, table, column, constraint, file };
  return { severity: severity ?? "ERROR", code, message, detail, where, ...named };
}
