import type { EndpointConfig } from "../../../core/engine.ts";
import { authorities } from "../../shared/connection/authorities.ts";
import { errorAddress } from "./address.ts";

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
    case "verify-full":
      return {
        rejectUnauthorized: true,
        verifyIdentity: endpoint.sslMode === "verify-full",
        ca: authorities(endpoint, errorAddress(endpoint)),
      };
  }
}
