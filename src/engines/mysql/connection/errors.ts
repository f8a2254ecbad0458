import type { MigrationError } from "../../../core/error.ts";
import { classifyError, type EngineErrors } from "../../shared/connection/classify-error.ts";
import type { ErrorContext } from "../../shared/connection/error-context.ts";
import { errorAddress } from "./address.ts";
import { driverVerdict } from "./driver-verdict.ts";
import { ServerError, type ServerErrorFields } from "./server-error.ts";
import { serverVerdict } from "./server-verdict.ts";

const engineErrors: EngineErrors<ServerErrorFields> = {
  address: errorAddress,
  socketRemedy: "Check that the server runs and that its socket is the file that the endpoint names.",
  driverVerdict,
  serverFields,
  serverVerdict,
};

/** Any error of the driver, the socket or the server as a MigrationError without row values. */
export function classify(error: unknown, context: ErrorContext): MigrationError {
  return classifyError(error, context, engineErrors);
}

/** What the server said, when it was the server who said it. */
export function serverFields(error: unknown): ServerErrorFields | undefined {
  if (error instanceof ServerError) return error.fields;
  if (!(error instanceof Error)) return undefined;
  const { errno, sqlState, sqlMessage } = error as DriverError;
  if (typeof errno !== "number" || errno < 1000 || sqlMessage === undefined) return undefined;
  return { number: errno, state: sqlState ?? "HY000", message: sqlMessage };
}

/** The driver's error for an ERR packet; network errors have a negative errno or none. */
interface DriverError extends Error {
  readonly errno?: number;
  readonly sqlState?: string;
  readonly sqlMessage?: string;
}
