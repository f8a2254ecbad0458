import { X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { errorAddress } from "./error-context.ts";

/** The driver's own form of TLS options. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly verifyIdentity: boolean;
  readonly ca?: string | string[];
}

/** What the driver is told for an SSL mode; undefined for no TLS. */
export function tlsOptions(endpoint: EndpointConfig): TlsOptions | undefined {
  switch (endpoint.sslMode) {
    case "none":
      return undefined;
    case "require":
      return { rejectUnauthorized: false, verifyIdentity: false };
    case "verify-ca":
      return { rejectUnauthorized: true, verifyIdentity: false, ca: authorities(endpoint) };
    case "verify-full":
      return { rejectUnauthorized: true, verifyIdentity: true, ca: authorities(endpoint) };
  }
}

function authorities(endpoint: EndpointConfig): string | string[] {
  const { caCertificate } = endpoint;
  if (caCertificate === undefined) return [...getCACertificates("bundled"), ...getCACertificates("system")];
  try {
    new X509Certificate(caCertificate);
  } catch (cause) {
    // Node passes over what it cannot read, and then trusts nobody: the error would blame the server.
    throw new MigrationError("tls.certificate_malformed", {
      message: "The endpoint's CA certificate cannot be read.",
      subject: errorAddress(endpoint),
      cause,
    });
  }
  return caCertificate;
}
