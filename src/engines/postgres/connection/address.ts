import type { EndpointConfig } from "../../../core/engine.ts";
import { hostAndPort } from "../../shared/connection/address.ts";

/** Where an endpoint is, as people write it: host:port, or the path of the socket in the directory that it names. */
export function errorAddress(endpoint: EndpointConfig): string {
  const { host, port } = endpoint;
  return host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : hostAndPort(endpoint);
}
