import type { EndpointConfig } from "../../../core/engine.ts";
import type { ErrorCode } from "../../../core/error.ts";

/** What an error comes to; the rest is filled in from the context. */
export interface Verdict {
  readonly code: ErrorCode;
  readonly subject?: string | undefined;
  /** When the code's general remedy is not exact. */
  readonly remedy?: string | undefined;
}

/** Where an endpoint is, as people write it: host:port, or the socket's path. */
export function errorAddress(endpoint: EndpointConfig): string {
  const { host, port } = endpoint;
  if (host.startsWith("/")) return `${host}/.s.PGSQL.${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
