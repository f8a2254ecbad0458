import type { ConnectionOptions } from "node:tls";
import pg from "pg";
import type { EndpointConfig } from "../../core/engine.ts";
import { classify, type Side } from "./errors.ts";
import { WireSession } from "./wire-session.ts";

const CONNECT_TIMEOUT_MS = 15_000;

/** Session settings that make every value's text form the same whatever the server's configuration. */
const SESSION_OPTIONS = [
  "-c datestyle=ISO",
  "-c intervalstyle=postgres",
  "-c extra_float_digits=3",
  "-c bytea_output=hex",
  "-c statement_timeout=0",
  "-c lock_timeout=0",
  "-c idle_in_transaction_session_timeout=0",
  "-c client_min_messages=warning",
].join(" ");

export interface ConnectOptions {
  readonly side: Side;
  /** What this connection does, for the server's activity views: "tideway load". */
  readonly purpose: string;
  /** A walsender session for the replication protocol. */
  readonly replication?: boolean;
}

/** A connected driver client; rows as arrays of text. The caller ends it. */
export async function connect(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<pg.Client> {
  signal.throwIfAborted();
  const client = new pg.Client({
    host: endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: endpoint.username,
    // The driver must not look passwords up elsewhere (environment, pgpass): the endpoint says all.
    password: endpoint.password ?? "",
    ssl: tlsOptions(endpoint),
    application_name: options.purpose,
    client_encoding: "UTF8",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    options: SESSION_OPTIONS,
    types: { getTypeParser: () => (value: string) => value },
    ...(options.replication === true ? { replication: "database" } : {}),
  } as pg.ClientConfig);
  // A connection that breaks while idle reports through the next query; without a listener the
  // event would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw classify(error, { side: options.side, endpoint });
  }
  return client;
}

interface DriverInternals {
  readonly connection: { readonly stream: import("node:net").Socket; _ending: boolean };
}

/** A session of our own on a connection that the driver has made; see WireSession. */
export async function openWire(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<WireSession> {
  const client = await connect(endpoint, options, signal);
  const { connection } = client as unknown as DriverInternals;
  const socket = connection.stream;
  // From here on the socket is ours: the driver must not see the bytes, nor treat the end as an error.
  socket.removeAllListeners("data");
  connection._ending = true;
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  return new WireSession(socket, async () => {
    signal.removeEventListener("abort", abort);
    if (!socket.destroyed) socket.end(TERMINATE);
    socket.destroySoon();
  });
}

const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/** What the driver hands to node:tls for an SSL mode; libpq's meaning of the modes. */
function tlsOptions(endpoint: EndpointConfig): false | ConnectionOptions {
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
  return {
    rejectUnauthorized: true,
    ...(endpoint.caCertificate === undefined ? {} : { ca: endpoint.caCertificate }),
  };
}
