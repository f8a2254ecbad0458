import type { ErrorCode } from "../../../core/error.ts";
import { type ErrorContext, passwordRemedy, type Verdict } from "../../shared/connection/error-context.ts";
import type { DriverError } from "../../shared/connection/network-error.ts";

/** Errors that the driver tells apart by their text only, or gives a socket's code. */
const driverTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^timeout expired$/, "connect.timeout"],
  [/^The server does not support SSL connections$/, "tls.refused"],
  [/^There was an error establishing an SSL connection$/, "tls.failed"],
  [/^Client network socket disconnected before secure TLS connection/, "tls.failed"],
  [/^Connection terminated/, "connect.lost"],
  [/^Client (has encountered a connection error|was closed)/, "connect.lost"],
  [/^SASL:/, "auth.failed"],
];

/** What an error of the driver's own comes to; undefined for any other. */
export function driverVerdict({ message }: DriverError, context: ErrorContext): Verdict | undefined {
  const known = driverTexts.find(([pattern]) => pattern.test(message))?.[1];
  if (known === undefined) return undefined;
  if (known !== "auth.failed") return { code: known };
  return { code: known, subject: context.endpoint?.username, remedy: passwordRemedy(context) };
}
