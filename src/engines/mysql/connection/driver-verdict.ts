import type { ErrorCode } from "../../../core/error.ts";
import type { Verdict } from "../../shared/connection/error-context.ts";
import type { DriverError } from "../../shared/connection/network-error.ts";

const codes: Readonly<Record<string, Verdict>> = {
  HANDSHAKE_NO_SSL_SUPPORT: {
    code: "tls.refused",
    remedy: "Give the server a certificate (ssl_cert and ssl_key), or set the endpoint's SSL mode to none.",
  },
  AUTH_SWITCH_PLUGIN_ERROR: {
    code: "auth.not_allowed",
    remedy: "Give the user the plugin mysql_native_password or caching_sha2_password, the latter over TLS.",
  },
};

/** What the driver, which gives every TLS error one code, leaves in the text. */
const tlsTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/altnames|does not match certificate/i, "tls.wrong_host"],
  [/self[- ]signed|unable to (get|verify)|certificate has expired|not yet valid/i, "tls.untrusted"],
];

/** What an error of the driver's own comes to; undefined for any other. */
export function driverVerdict({ message, code }: DriverError): Verdict | undefined {
  if (code === undefined) return message.includes("closed state") ? { code: "connect.lost" } : undefined;
  if (code === "HANDSHAKE_SSL_ERROR") {
    return { code: tlsTexts.find(([pattern]) => pattern.test(message))?.[1] ?? "tls.failed" };
  }
  return codes[code] ?? (/^(PROTOCOL|HANDSHAKE)_/.test(code) ? { code: "connect.lost" } : undefined);
}
