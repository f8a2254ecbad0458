import { type ErrorCode, MigrationError } from "../../../core/error.ts";
import type { ErrorContext } from "./error-context.ts";
import { errorAddress, type Verdict } from "./verdict.ts";

/** Codes of Node's socket and resolver errors. */
const socketCodes: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: "connect.unknown_host",
  EAI_AGAIN: "connect.unknown_host",
  EAI_FAIL: "connect.unknown_host",
  EAI_NODATA: "connect.unknown_host",
  ECONNREFUSED: "connect.refused",
  ENOENT: "connect.refused",
  ENOTSOCK: "connect.refused",
  EACCES: "connect.refused",
  EPERM: "connect.refused",
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

/** Errors that the driver tells apart by their text only. */
const driverTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^timeout expired$/, "connect.timeout"],
  [/^The server does not support SSL connections$/, "tls.refused"],
  [/^There was an error establishing an SSL connection$/, "tls.failed"],
  [/^Client network socket disconnected before secure TLS connection/, "tls.failed"],
  [/^Connection terminated/, "connect.lost"],
  [/^Client (has encountered a connection error|was closed)/, "connect.lost"],
  [/^SASL:/, "auth.failed"],
];

/** Errors of the socket, of TLS and of the driver; undefined for anything else. */
export function networkError(error: unknown, context: ErrorContext): MigrationError | undefined {
  if (!(error instanceof Error)) return undefined;
  const nativeCode = codeOf(error);
  const verdict = judge(error.message, nativeCode, context);
  if (verdict === undefined) return undefined;
  const subject = verdict.subject ?? address(context);
  return new MigrationError(verdict.code, {
    message: `${sentences[verdict.code] ?? "The connection failed"}: the ${context.side}${at(context)}.`,
    cause: error,
    ...(subject === undefined ? {} : { subject }),
    ...(verdict.remedy === undefined ? {} : { remedy: verdict.remedy }),
    ...(nativeCode === undefined ? {} : { nativeCode }),
  });
}

function judge(text: string, code: string | undefined, context: ErrorContext): Verdict | undefined {
  if (code !== undefined) {
    // First: the driver reports this with the code ECONNRESET.
    if (text.startsWith("Client network socket disconnected before secure")) return { code: "tls.failed" };
    const known = socketCodes[code];
    if (known !== undefined) return { code: known, remedy: socketRemedy(code, context) };
    if (UNTRUSTED.test(code)) return { code: "tls.untrusted", remedy: trustRemedy(code) };
    if (code.startsWith("ERR_OSSL_")) return { code: "tls.certificate_malformed" };
    if (code.startsWith("ERR_SSL_") || code === "EPROTO") return { code: "tls.failed" };
  }
  const known = driverTexts.find(([pattern]) => pattern.test(text))?.[1];
  if (known === undefined) return undefined;
  if (known !== "auth.failed") return { code: known };
  return { code: known, subject: context.endpoint?.username, remedy: passwordRemedy(context) };
}

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
};

function socketRemedy(code: string, context: ErrorContext): string | undefined {
  if (code === "EACCES" || code === "EPERM")
    return "Let this operating system user open the server's socket.";
  if (context.endpoint?.host.startsWith("/") === true && code !== "ECONNRESET" && code !== "EPIPE") {
    return "Check that the server runs and that unix_socket_directories holds this directory and its port is the endpoint's.";
  }
  return undefined;
}

function trustRemedy(code: string): string | undefined {
  if (code === "CERT_HAS_EXPIRED") return "Renew the server's certificate, or use SSL mode require.";
  if (code === "CERT_NOT_YET_VALID") return "Compare this machine's clock with the certificate's dates.";
  return undefined;
}

function passwordRemedy(context: ErrorContext): string | undefined {
  const password = context.endpoint?.password;
  return password === undefined || password === ""
    ? "The server asks for a password and the endpoint has none: give it one."
    : undefined;
}

function codeOf(error: Error): string | undefined {
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

function address(context: ErrorContext): string | undefined {
  return context.endpoint === undefined ? undefined : errorAddress(context.endpoint);
}

function at(context: ErrorContext): string {
  return context.endpoint === undefined ? "" : ` at ${errorAddress(context.endpoint)}`;
}
