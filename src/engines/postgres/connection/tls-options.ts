import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, getCACertificates } from "node:tls";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { errorAddress } from "./verdict.ts";

/** What the driver hands to node:tls for an SSL mode; libpq's meaning of the modes. */
export function tlsOptions(endpoint: EndpointConfig): false | ConnectionOptions {
  switch (endpoint.sslMode) {
    case "none":
      return false;
    case "require":
      return { rejectUnauthorized: false };
    case "verify-ca":
      return { ...authorities(endpoint), checkServerIdentity: () => undefined };
    case "verify-full":
      return authorities(endpoint);
  }
}

function authorities(endpoint: EndpointConfig): ConnectionOptions {
  const { caCertificate } = endpoint;
  if (caCertificate !== undefined) checkCertificate(caCertificate, errorAddress(endpoint));
  return {
    rejectUnauthorized: true,
    ca: caCertificate ?? [...getCACertificates("bundled"), ...getCACertificates("system")],
  };
}

/** Node passes over what it cannot read, and then trusts nobody: the error would blame the server. */
function checkCertificate(pem: string, subject: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new MigrationError("tls.certificate_malformed", {
      message: "The endpoint's CA certificate cannot be read.",
      subject,
      cause,
    });
  }
}
