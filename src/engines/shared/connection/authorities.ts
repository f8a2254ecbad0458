import { X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";

/**
 * PEMs of those who may vouch for a server's certificate: the endpoint's, else the system's. Throws
 * `tls.certificate_malformed` for a text that is none: Node passes over what it cannot read, and then trusts nobody,
 * so that the error would blame the server.
 */
export function authorities({ caCertificate }: EndpointConfig, address: string): string | string[] {
  if (caCertificate === undefined) return [...getCACertificates("bundled"), ...getCACertificates("system")];
  try {
    new X509Certificate(caCertificate);
  } catch (cause) {
    throw new MigrationError("tls.certificate_malformed", {
      message: "The endpoint's CA certificate cannot be read.",
      subject: address,
      cause,
    });
  }
  return caCertificate;
}
