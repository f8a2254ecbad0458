import { asMigrationError, MigrationError } from "../../../core/error.ts";
import { errorTable } from "../../../core/error-table.ts";
import { displayTable } from "../../../core/schema.ts";
import { type ErrorContext, namedSide, type Verdict } from "./error-context.ts";
import { type ConnectionErrors, networkError } from "./network-error.ts";

/** What of an engine's errors is its own. `Fields` is what its server says of an error. */
export interface EngineErrors<Fields> extends ConnectionErrors {
  /** What the server said, when it was the server who said it. */
  readonly serverFields: (error: unknown) => Fields | undefined;
  readonly serverVerdict: (fields: Fields, context: ErrorContext) => ServerVerdict;
}

/** What an error of the server comes to. */
export interface ServerVerdict extends Verdict {
  /** Without row values. */
  readonly message: string;
  readonly nativeCode: string;
}

/**
 * Any error of the driver, the socket or the server as a MigrationError without row values. What the
 * server said is not kept as cause: its texts may hold values.
 */
export function classifyError<Fields>(
  error: unknown,
  context: ErrorContext,
  engine: EngineErrors<Fields>,
): MigrationError {
  if (error instanceof MigrationError) return located(error, context, engine);
  const fields = engine.serverFields(error);
  if (fields !== undefined) return serverError(engine.serverVerdict(fields, context), context, engine);
  if (error instanceof Error && error.name === "AbortError") {
    return new MigrationError("task.stopped_by_request", { message: "Stopped on request.", cause: error });
  }
  return networkError(error, context, engine) ?? asMigrationError(error);
}

/**
 * Our own error, with what its maker did not know: which connection was lost, which table a statement was about.
 */
function located(
  error: MigrationError,
  context: ErrorContext,
  { address }: ConnectionErrors,
): MigrationError {
  const { code, cause } = error;
  const { endpoint, table } = context;
  if (code === "connect.lost" && error.subject === undefined && endpoint !== undefined) {
    const message = `The connection to the ${namedSide(context)} was lost.`;
    return new MigrationError(code, { message, subject: address(endpoint), cause });
  }
  if (error.scope !== "table" || error.table !== undefined || table === undefined) return error;
  return new MigrationError(code, { subject: displayTable(table), ...error.toJSON(), table, cause });
}

function serverError(
  verdict: ServerVerdict,
  context: ErrorContext,
  { address }: ConnectionErrors,
): MigrationError {
  const { code, message, nativeCode, remedy, isOfRow } = verdict;
  const { endpoint } = context;
  // What stops the whole task is not the fault of the table that happened to be at work.
  const table = errorTable[code].scope === "table" ? context.table : undefined;
  const subject =
    verdict.subject ??
    (table === undefined ? undefined : displayTable(table)) ??
    context.subject ??
    (endpoint === undefined ? undefined : address(endpoint));
  return new MigrationError(code, {
    message,
    nativeCode,
    ...(subject === undefined ? {} : { subject }),
    ...(table === undefined ? {} : { table }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(isOfRow === true && table !== undefined ? { isOfRow } : {}),
  });
}
