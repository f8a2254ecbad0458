import type { EventEmitter } from "node:events";
import { Socket, setDefaultAutoSelectFamilyAttemptTimeout } from "node:net";
import pg from "pg";
import type { EndpointConfig, EndpointRole } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Backend } from "../../shared/connection/session-look.ts";
import { errorAddress } from "./address.ts";
import { firstSql, SESSION_OPTIONS } from "./session-settings.ts";
import { tlsOptions } from "./tls-options.ts";

const CONNECT_TIMEOUT_MS = 15_000;
/** A connection pooler answers at once and lets the first statement wait for a server: pgbouncer 120 s by default. */
const FIRST_ANSWER_MS = 150_000;
/** When a connection over which nothing comes is first asked whether it lives; Node then asks ten times, once a second. */
const KEEPALIVE_MS = 30_000;
/** How long the last message may take to go out, and a server to hang up, before the connection is cut. */
const GOODBYE_MS = 2_000;

// Node gives each of a name's addresses 250 ms by default, less than a round trip to a far region takes.
setDefaultAutoSelectFamilyAttemptTimeout(5_000);

export interface ConnectOptions {
  readonly side: EndpointRole;
  /** What this connection does, for the server's activity views: "tideway load". */
  readonly purpose: string;
  /** A walsender session for the replication protocol. */
  readonly replication?: boolean;
  /** 15,000 when left out. */
  readonly timeoutMs?: number;
  /** WireSession.gulp() will be asked for, where the connection allows it. */
  readonly gulps?: boolean;
}

/** The driver's client, whose end() also ends when the other side has vanished. */
class DriverClient extends pg.Client {
  override async end(): Promise<void> {
    cutAfterGoodbye(socketOf(this));
    await super.end();
  }
}

/**
 * Connects, and puts the session's settings right; values come as text or null. Throws what the driver says.
 * The backend is undefined when a connection pooler stands between: which process serves the session, is its affair.
 */
export async function openClient(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<{ readonly client: pg.Client; readonly backend: Backend | undefined }> {
  const client = new DriverClient(clientConfig(endpoint, options));
  // A connection that breaks while idle reports through the next query; without a listener the
  // event would end the process.
  client.on("error", () => undefined);
  const cut = (): void => destroy(client);
  signal.addEventListener("abort", cut, { once: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    await client.connect();
    timer = setTimeout(() => socketOf(client).destroy(unanswered(endpoint)), FIRST_ANSWER_MS);
    const { rows } = await client.query<Omit<Backend, "pid"> & { readonly pid: string }>(
      firstSql(options.side),
    );
    const { pid, started, server } = rows[0]!;
    const isDirect = Number(pid) === processId(client);
    return { client, backend: isDirect ? { pid: Number(pid), started, server } : undefined };
  } catch (error) {
    cut();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cut);
  }
}

export interface Question {
  readonly purpose: string;
  readonly sql: string;
  readonly values: readonly unknown[];
  /** How long the server may work at it; without it as long as it takes. */
  readonly limitMs?: number;
}

/**
 * Asks one thing on a connection of its own, as the role that the endpoint names: its script is not run. Throws
 * what the driver says, also when it is cut because the signal has aborted.
 */
export async function askOnce<Row extends pg.QueryResultRow>(
  endpoint: EndpointConfig,
  { purpose, sql, values, limitMs }: Question,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const { client } = await openClient(endpoint, { side: "source", purpose }, signal);
  const cut = (): void => destroy(client);
  signal.addEventListener("abort", cut, { once: true });
  if (signal.aborted) cut();
  try {
    if (limitMs !== undefined) await client.query(`set statement_timeout = ${limitMs}`);
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
    signal.removeEventListener("abort", cut);
  }
}

/** Cuts the connection without a word to the server; what it runs fails with `connect.lost`. */
export function destroy(client: pg.Client): void {
  socketOf(client).destroy();
}

/** The number of the server's process behind a client. */
export function processId(client: pg.Client): number {
  return internals(client).processID;
}

/** Whether the client has asked something that is not answered. */
export function awaitsAnswer(client: pg.Client): boolean {
  return !internals(client).readyForQuery;
}

/** How many of the bytes that a client has written its server has for certain; see WatchedSession. */
export function arrivals(client: pg.Client): () => number {
  const { connection } = internals(client);
  let arrived = 0;
  // Before the driver hears of it, which then writes the next statement.
  connection.prependListener("readyForQuery", () => {
    arrived = connection.stream.bytesWritten;
  });
  return () => arrived;
}

export function socketOf(client: pg.Client): Socket {
  return internals(client).connection.stream;
}

/** Takes the socket from the driver, which neither sees its bytes from now on nor treats its end as an error. */
export function takeSocket(client: pg.Client): Socket {
  const { connection } = internals(client);
  connection.stream.removeAllListeners("data");
  connection._ending = true;
  return connection.stream;
}

/**
 * For a socket that is being ended: when that takes too long, nobody is there any more, or nobody listens. What
 * the server still runs for it is ended then; see SessionWatch.
 */
export function cutAfterGoodbye(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  // The open socket keeps the process until then; afterwards nothing should.
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

/** Whether a socket stops reading as soon as it is paused. Under TLS every few bytes are a record of their own. */
export function gulps(endpoint: EndpointConfig, options: ConnectOptions): boolean {
  return options.gulps === true && endpoint.sslMode === "none";
}

interface DriverInternals {
  readonly processID: number;
  readonly readyForQuery: boolean;
  readonly connection: EventEmitter & { readonly stream: Socket; _ending: boolean };
}

function internals(client: pg.Client): DriverInternals {
  return client as unknown as DriverInternals;
}

function unanswered(endpoint: EndpointConfig): MigrationError {
  return new MigrationError("connect.timeout", {
    message: "The server has taken a connection and does not answer its first statement.",
    subject: errorAddress(endpoint),
  });
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
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    options: SESSION_OPTIONS,
    types: { getTypeParser: () => (value: string) => value },
    ...(options.replication === true ? { replication: "database" } : {}),
    // A paused socket stops at the next chunk instead of reading on until a buffer is full.
    ...(gulps(endpoint, options) ? { stream: () => new Socket({ readableHighWaterMark: 1 } as object) } : {}),
  } as pg.ClientConfig;
}
