import type { EndpointConfig } from "../../../core/engine.ts";
import { hostAndPort } from "../../shared/connection/address.ts";

/** Where an endpoint is, as people write it: host:port, or the socket's path. */
export function errorAddress(endpoint: EndpointConfig): string {
  return endpoint.host.startsWith("/") ? endpoint.host : hostAndPort(endpoint);
}
