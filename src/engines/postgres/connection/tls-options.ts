import type { ConnectionOptions } from "node:tls";
import type { EndpointConfig } from "../../../core/engine.ts";
import { authorities } from "../../shared/connection/authorities.ts";
import { errorAddress } from "./address.ts";

/** What the driver hands to node:tls for an SSL mode; libpq's meaning of the modes. */
export function tlsOptions(endpoint: EndpointConfig): false | ConnectionOptions {
  switch (endpoint.sslMode) {
    case "none":
      return false;
    case "require":
      return { rejectUnauthorized: false };
    case "verify-ca":
      return { ...verified(endpoint), checkServerIdentity: () => undefined };
    case "verify-full":
      return verified(endpoint);
  }
}

function verified(endpoint: EndpointConfig): ConnectionOptions {
  return { rejectUnauthorized: true, ca: authorities(endpoint, errorAddress(endpoint)) };
}
