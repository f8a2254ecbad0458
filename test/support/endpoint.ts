import type { EndpointConfig } from "../../src/core/engine.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A database of a test server as an engine is given it, for the superuser. */
export function endpointOf(server: PostgresServer, database: string): EndpointConfig {
  return {
    engine: "postgres",
    host: "127.0.0.1",
    port: server.port,
    database,
    username: "postgres",
    password: server.password,
    sslMode: "none",
    caCertificate: undefined,
    settings: {},
  };
}
