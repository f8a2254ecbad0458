import { type ErrorCode, MigrationError } from "../../../core/error.ts";
import { type ErrorContext, errorAddress, type Verdict } from "./error-context.ts";

/** Codes of Node's socket and resolver errors, and of the driver's own. */
const codes: Readonly<Record<string, ErrorCode>> = {
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
  PROTOCOL_CONNECTION_LOST: "connect.lost",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls.wrong_host",
  HANDSHAKE_NO_SSL_SUPPORT: "tls.refused",
  AUTH_SWITCH_PLUGIN_ERROR: "auth.not_allowed",
};

/** OpenSSL's verification errors, by which Node names them. */
const UNTRUSTED =
  /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_|CRL_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_|HOSTNAME_MISMATCH$|ERROR_IN_CERT)/;

/** What the driver, which gives every TLS error one code, leaves in the text. */
const tlsTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/altnames|does not match certificate/i, "tls.wrong_host"],
  [/self[- ]signed|unable to (get|verify)|certificate has expired|not yet valid/i, "tls.untrusted"],
];

/** Errors of the socket, of TLS and of the driver; undefined for anything else. */
export function networkError(error: unknown, context: ErrorContext): MigrationError | undefined {
  if (!(error instanceof Error)) return undefined;
  const nativeCode = codeOf(error);
  const verdict = judge(error.message, nativeCode, context);
  if (verdict === undefined) return undefined;
  const { endpoint } = context;
  const place = endpoint === undefined ? "" : ` at ${errorAddress(endpoint)}`;
  return new MigrationError(verdict.code, {
    message: `${sentences[verdict.code] ?? "The connection failed"}: the ${context.side}${place}.`,
    cause: error,
    ...(endpoint === undefined ? {} : { subject: errorAddress(endpoint) }),
    ...(verdict.remedy === undefined ? {} : { remedy: verdict.remedy }),
    ...(nativeCode === undefined ? {} : { nativeCode }),
  });
}

function judge(text: string, code: string | undefined, context: ErrorContext): Verdict | undefined {
  if (code === undefined) {
    return text.includes("closed state") ? { code: "connect.lost" } : undefined;
  }
  if (code === "HANDSHAKE_SSL_ERROR") {
    return { code: tlsTexts.find(([pattern]) => pattern.test(text))?.[1] ?? "tls.failed" };
  }
  const known = codes[code];
  if (known !== undefined) return { code: known, remedy: remedyFor(code, context) };
  if (UNTRUSTED.test(code)) return { code: "tls.untrusted" };
  if (code.startsWith("ERR_OSSL_")) return { code: "tls.certificate_malformed" };
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") return { code: "tls.failed" };
  if (code.startsWith("PROTOCOL_") || code.startsWith("HANDSHAKE_")) return { code: "connect.lost" };
  return undefined;
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
  "auth.not_allowed": "The server asks for a way of authentication that does not work here",
};

function remedyFor(code: string, context: ErrorContext): string | undefined {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "Let this operating system user open the server's socket.";
    case "HANDSHAKE_NO_SSL_SUPPORT":
      return "Give the server a certificate (ssl_cert and ssl_key), or set the endpoint's SSL mode to none.";
    case "AUTH_SWITCH_PLUGIN_ERROR":
      return "Give the user the plugin mysql_native_password or caching_sha2_password, the latter over TLS.";
    case "ENOENT":
    case "ECONNREFUSED":
      return context.endpoint?.host.startsWith("/") === true
        ? "Check that the server runs and that its socket is the file that the endpoint names."
        : undefined;
    default:
      return undefined;
  }
}

function codeOf(error: Error): string | undefined {
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
