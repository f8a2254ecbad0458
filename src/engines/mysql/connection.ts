import {
  connect as connectSocket,
  isIP,
  type Socket,
  setDefaultAutoSelectFamilyAttemptTimeout,
} from "node:net";
import mysql from "mysql2";
import type { EndpointConfig, EndpointRole } from "../../core/engine.ts";
import { Client, socketOf } from "./client.ts";
import { classify } from "./errors.ts";
import { sessionSettings } from "./session-settings.ts";
import { tlsOptions } from "./tls-options.ts";
import { WireSession } from "./wire-session.ts";

const CONNECT_TIMEOUT_MS = 15_000;
/** When a connection over which nothing comes is first asked whether it lives. */
const KEEPALIVE_MS = 30_000;

// Node gives each of a name's addresses 250 ms by default, less than a round trip to a far region takes.
setDefaultAutoSelectFamilyAttemptTimeout(5_000);

export interface ConnectOptions {
  readonly side: EndpointRole;
  /** What this connection does, for the server's performance_schema: "tideway load". */
  readonly purpose: string;
  /** LOAD DATA LOCAL INFILE will be used; without it the server may not ask for a file. */
  readonly infileLocal?: boolean;
  /** Rows that an update finds and leaves as they are do not count as affected; its remark still tells of them. */
  readonly countsChanged?: boolean;
  /** 15,000 when left out. */
  readonly timeoutMs?: number;
}

/**
 * A connected client with the session's settings. The caller ends it. Throws the signal's reason when it aborts
 * while connecting, else a MigrationError.
 */
export async function connect(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Client> {
  signal.throwIfAborted();
  let raw: mysql.Connection | undefined;
  const cut = (): void => {
    if (raw !== undefined) socketOf(raw).destroy();
  };
  signal.addEventListener("abort", cut, { once: true });
  try {
    raw = mysql.createConnection(connectionOptions(endpoint, options));
    await greeted(raw);
    const client = await Client.begin(raw, sessionSettings(options.side));
    await afterConnect(client, endpoint, options);
    signal.throwIfAborted();
    return client;
  } catch (error) {
    cut();
    if (signal.aborted) throw signal.reason;
    throw classify(error, { side: options.side, endpoint });
  } finally {
    signal.removeEventListener("abort", cut);
  }
}

/**
 * A session of our own on a connection that the driver has made; see WireSession. `prepare` runs statements on it
 * while it is still the driver's.
 */
export async function openWire(
  endpoint: EndpointConfig,
  options: ConnectOptions & { readonly prepare?: (client: Client) => Promise<void> },
  signal: AbortSignal,
): Promise<WireSession> {
  const client = await connect(endpoint, options, signal);
  const { raw } = client;
  const socket = socketOf(raw);
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const forget = (): void => signal.removeEventListener("abort", abort);
  try {
    await options.prepare?.(client);
    signal.throwIfAborted();
  } catch (error) {
    abort();
    forget();
    if (signal.aborted) throw signal.reason;
    throw classify(error, { side: options.side, endpoint });
  }
  release(raw);
  const extendedMetadata = internals(raw)._mariadbExtendedMetadata;
  return new WireSession(socket, {
    threadId: client.threadId,
    facts: client.facts,
    extendedMetadata,
    closed: forget,
  });
}

/** Takes the socket from the driver, which neither sees its bytes from now on nor treats its end as an error. */
function release(raw: mysql.Connection): void {
  socketOf(raw).removeAllListeners("data");
  internals(raw)._closing = true;
}

interface DriverInternals {
  _closing: boolean;
  /** Whether column definitions carry MariaDB's additional field. */
  readonly _mariadbExtendedMetadata: boolean;
}

function internals(raw: mysql.Connection): DriverInternals {
  return raw as unknown as DriverInternals;
}

function greeted(raw: mysql.Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    // A connection that breaks while idle reports through the next query; without a listener the event would end
    // the process.
    raw.on("error", (error) => reject(error));
    raw.once("connect", () => resolve());
  });
}

/** DMS's AfterConnectScript: statements for every ordinary session on the target. */
async function afterConnect(
  client: Client,
  endpoint: EndpointConfig,
  options: ConnectOptions,
): Promise<void> {
  const script = endpoint.settings["AfterConnectScript"];
  if (typeof script !== "string" || script === "" || options.side !== "target") return;
  try {
    await client.execute(script);
  } catch (error) {
    throw classify(error, { side: "target", endpoint, subject: "AfterConnectScript" });
  }
}

function connectionOptions(endpoint: EndpointConfig, options: ConnectOptions): mysql.ConnectionOptions {
  const ssl = tlsOptions(endpoint);
  return {
    // The path of a unix socket, or a host.
    ...(endpoint.host.startsWith("/")
      ? { socketPath: endpoint.host }
      : { host: endpoint.host, port: endpoint.port }),
    user: endpoint.username,
    ...(endpoint.password === undefined ? {} : { password: endpoint.password }),
    ...(endpoint.database === "" ? {} : { database: endpoint.database }),
    ...(ssl === undefined ? {} : { ssl: ssl as mysql.SslOptions }),
    charset: "utf8mb4_general_ci",
    timezone: "Z",
    connectTimeout: options.timeoutMs ?? CONNECT_TIMEOUT_MS,
    multipleStatements: true,
    connectAttributes: { program_name: options.purpose },
    flags: [
      // Each adds to the packets' form, which WireSession reads and writes.
      "-SESSION_TRACK",
      "-CLIENT_QUERY_ATTRIBUTES",
      ...(options.infileLocal === true ? [] : ["-LOCAL_FILES"]),
      ...(options.countsChanged === true ? ["-FOUND_ROWS"] : []),
    ],
    stream: () => openSocket(endpoint),
  };
}

/** As the driver does it, and with the name that a certificate is checked against also when it is an address. */
function openSocket(endpoint: EndpointConfig): Socket {
  const { host, port } = endpoint;
  if (host.startsWith("/")) return connectSocket(host);
  const socket = connectSocket({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
  });
  // Node takes the name from there when the driver gives none, as it does for addresses; else it is localhost.
  if (isIP(host) !== 0) (socket as unknown as { _host: string })._host = host;
  return socket;
}
