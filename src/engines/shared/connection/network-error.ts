import type { EndpointConfig } from "../../../core/engine.ts";
import { type ErrorCode, MigrationError } from "../../../core/error.ts";
import { type ErrorContext, namedSide, type Verdict } from "./error-context.ts";

/** What of the errors of a connection is an engine's own. */
export interface ConnectionErrors {
  /** Where an endpoint is, as people write it: host:port, or the socket's path. */
  readonly address: (endpoint: EndpointConfig) => string;
  /** What to look at when nothing listens at a unix socket. */
  readonly socketRemedy: string;
  /** What an error of the driver's own comes to; undefined for any other error. */
  readonly driverVerdict: (error: DriverError, context: ErrorContext) => Verdict | undefined;
}

export interface DriverError {
  readonly message: string;
  readonly code: string | undefined;
}

/** Codes of Node's socket and resolver errors. */
const socketCodes: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: "connect.unknown_host",
  EAI_AGAIN: "connect.unknown_host",
  EAI_FAIL: "connect.unknown_host",
  EAI_NODATA: "connect.unknown_host",
  ECONNREFUSED: "connect.refused",
  ENOENT: "connect.refused",
  ENOTSOCK: "connect.refused",
  EADDRNOTAVAIL: "connect.refused",
  EINVAL: "connect.refused",
  ETIMEDOUT: "connect.timeout",
  EHOSTUNREACH: "connect.timeout",
  ENETUNREACH: "connect.timeout",
  EHOSTDOWN: "connect.timeout",
  ECONNRESET: "connect.lost",
  ECONNABORTED: "connect.lost",
  EPIPE: "connect.lost",
  ERR_STREAM_DESTROYED: "connect.lost",
  ERR_STREAM_WRITE_AFTER_END: "connect.lost",
  ERR_STREAM_PREMATURE_CLOSE: "connect.lost",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls.wrong_host",
};

/** OpenSSL's verification errors, by which Node names them. */
const UNTRUSTED =
  /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_|CRL_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_|HOSTNAME_MISMATCH$|ERROR_IN_CERT)/;

const sentences: Partial<Readonly<Record<ErrorCode, string>>> = {
  "connect.unknown_host": "The host name does not resolve",
  "connect.refused": "Nothing listens there",
  "connect.timeout": "No answer in time",
  "connect.lost": "The connection was lost",
  "tls.refused": "The server does not offer TLS",
  "tls.failed": "The TLS handshake failed",
  "tls.untrusted": "The server's certificate is not trusted",
  "tls.wrong_host": "The server's certificate is for another host name",
  "tls.certificate_malformed": "The CA certificate cannot be read",
  "auth.failed": "The server refused the user name or the password",
  "auth.not_allowed": "The server asks for a way of authentication that does not work here",
};

/** Errors of the socket, of TLS and of the driver; undefined for anything else. */
export function networkError(
  error: unknown,
  context: ErrorContext,
  engine: ConnectionErrors,
): MigrationError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  const nativeCode = codeOf(error);
  // First: a driver may report what it knows better with a socket's code.
  const verdict =
    engine.driverVerdict({ message, code: nativeCode }, context) ??
    networkVerdict(nativeCode, context, engine);
  if (verdict === undefined) return undefined;
  const { endpoint } = context;
  const address = endpoint === undefined ? undefined : engine.address(endpoint);
  const subject = verdict.subject ?? address;
  return new MigrationError(verdict.code, {
    message: `${sentences[verdict.code] ?? "The connection failed"}: the ${namedSide(context)}${address === undefined ? "" : ` at ${address}`}.`,
    cause: error,
    ...(subject === undefined ? {} : { subject }),
    ...(verdict.remedy === undefined ? {} : { remedy: verdict.remedy }),
    ...(nativeCode === undefined ? {} : { nativeCode }),
  });
}

function networkVerdict(
  code: string | undefined,
  { endpoint }: ErrorContext,
  { socketRemedy }: ConnectionErrors,
): Verdict | undefined {
  if (code === undefined) return undefined;
  if (code === "EACCES" || code === "EPERM") {
    return { code: "connect.refused", remedy: "Let this operating system user open the server's socket." };
  }
  const known = socketCodes[code];
  if (known === "connect.refused" && endpoint?.host.startsWith("/") === true) {
    return { code: known, remedy: socketRemedy };
  }
  if (known !== undefined) return { code: known };
  if (UNTRUSTED.test(code)) return { code: "tls.untrusted", remedy: trustRemedy(code) };
  if (code.startsWith("ERR_OSSL_")) return { code: "tls.certificate_malformed" };
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") return { code: "tls.failed" };
  return undefined;
}

function trustRemedy(code: string): string | undefined {
  if (code === "CERT_HAS_EXPIRED") return "Renew the server's certificate, or use SSL mode require.";
  if (code === "CERT_NOT_YET_VALID") return "Compare this machine's clock with the certificate's dates.";
  return undefined;
}

function codeOf(error: Error): string | undefined {
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
