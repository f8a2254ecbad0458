import { X509Certificate } from "node:crypto";
import { Socket, setDefaultAutoSelectFamilyAttemptTimeout } from "node:net";
import { type ConnectionOptions, getCACertificates } from "node:tls";
import pg from "pg";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import { classify, type Side } from "./errors.ts";
import { errorAddress } from "./verdict.ts";
import { WireSession } from "./wire-session.ts";

const CONNECT_TIMEOUT_MS = 15_000;

// Node gives each of a name's addresses 250 ms by default, less than a round trip to a far region takes.
setDefaultAutoSelectFamilyAttemptTimeout(5_000);

/** Session settings that make every value's text form the same whatever the server's configuration. */
const SESSION_OPTIONS = [
  "-c datestyle=ISO",
  "-c intervalstyle=postgres",
  "-c extra_float_digits=3",
  "-c bytea_output=hex",
  "-c lc_monetary=C",
  "-c standard_conforming_strings=on",
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
  /** 15,000 when left out. */
  readonly timeoutMs?: number;
  /** WireSession.gulp() will be asked for, where the connection allows it. */
  readonly gulps?: boolean;
}

/**
 * A connected driver client; values as text or null. The caller ends it. Throws the signal's reason when it aborts
 * while connecting, else a MigrationError.
 */
export async function connect(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<pg.Client> {
  signal.throwIfAborted();
  const client = new pg.Client(clientConfig(endpoint, options));
  // A connection that breaks while idle reports through the next query; without a listener the
  // event would end the process.
  client.on("error", () => undefined);
  const abort = (): void => destroy(client);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await client.connect();
    await afterConnect(client, endpoint, options);
    signal.throwIfAborted();
  } catch (error) {
    destroy(client);
    if (signal.aborted) throw signal.reason;
    throw classify(error, { side: options.side, endpoint });
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return client;
}

/** Cuts the connection without a word to the server; what it runs fails with `connect.lost`. */
export function destroy(client: pg.Client): void {
  (client as unknown as DriverInternals).connection.stream.destroy();
}

function clientConfig(endpoint: EndpointConfig, options: ConnectOptions): pg.ClientConfig {
  const { password } = endpoint;
  return {
    host: endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: endpoint.username,
    // As a function: an empty text would make the driver look in the environment and in pgpass files.
    password: () => password ?? "",
    ssl: tlsOptions(endpoint),
    sslnegotiation: "postgres",
    application_name: options.purpose,
    client_encoding: "UTF8",
    connectionTimeoutMillis: options.timeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: true,
    options: SESSION_OPTIONS,
    types: { getTypeParser: () => (value: string) => value },
    ...(options.replication === true ? { replication: "database" } : {}),
    // A paused socket stops at the next chunk instead of reading on until a buffer is full.
    ...(gulps(endpoint, options) ? { stream: () => new Socket({ readableHighWaterMark: 1 } as object) } : {}),
  } as pg.ClientConfig;
}

/** Under TLS every few bytes are a record of their own, which a gulp would be one of. */
function gulps(endpoint: EndpointConfig, options: ConnectOptions): boolean {
  return options.gulps === true && endpoint.sslMode === "none";
}

/** DMS's AfterConnectScript: statements for every ordinary session on the target, such as SET ROLE. */
async function afterConnect(
  client: pg.Client,
  endpoint: EndpointConfig,
  options: ConnectOptions,
): Promise<void> {
  const script = endpoint.settings["AfterConnectScript"];
  if (typeof script !== "string" || script === "") return;
  if (options.side !== "target" || options.replication === true) return;
  try {
    await client.query(script);
  } catch (error) {
    throw classify(error, { side: "target", endpoint, subject: "AfterConnectScript" });
  }
}

/** The number of the server's process behind a client. */
export function processId(client: pg.Client): number {
  return (client as unknown as DriverInternals).processID;
}

interface DriverInternals {
  readonly processID: number;
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
  if (signal.aborted) abort();
  const close = async (): Promise<void> => {
    signal.removeEventListener("abort", abort);
    if (!socket.destroyed) socket.end(TERMINATE);
    socket.destroySoon();
  };
  return new WireSession(socket, { mayGulp: gulps(endpoint, options), close });
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
