import type mysql from "mysql2";
import type { EndpointConfig, EndpointRole } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { SessionWatch, type WatchedSession } from "../../shared/connection/session-watch.ts";
import { errorAddress } from "./address.ts";
import { type Client, socketOf } from "./client.ts";
import { classify } from "./errors.ts";
import { killSession } from "./kill-session.ts";
import { type ConnectOptions, openClient } from "./open-client.ts";
import { SessionLook } from "./session-look.ts";
import { sessionSettings } from "./session-settings.ts";
import { WireSession } from "./wire-session.ts";

export type { ConnectOptions } from "./open-client.ts";

/**
 * A connected client with the session's settings. The caller ends it. Throws the signal's reason when it aborts
 * while connecting, else a MigrationError.
 */
export async function connect(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Client> {
  return (await open(endpoint, options, signal)).client;
}

interface Opened {
  readonly client: Client;
  readonly watched: WatchedSession;
}

async function open(endpoint: EndpointConfig, options: ConnectOptions, signal: AbortSignal): Promise<Opened> {
  signal.throwIfAborted();
  try {
    const client = await openClient(endpoint, options, signal);
    const watched = watch(endpoint, options, client);
    await afterConnect(client, endpoint, { options, signal });
    return { client, watched };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw classify(error, { side: options.side, endpoint });
  }
}

/** Has a session looked after until its socket has closed. */
function watch(endpoint: EndpointConfig, { side, purpose }: ConnectOptions, client: Client): WatchedSession {
  const socket = socketOf(client.raw);
  // One that was found to be lost the server still has; those that we cut are ended by whoever cuts them.
  socket.once("close", () => {
    if (socket.errored instanceof MigrationError) void killSession(endpoint, side, client);
  });
  const watched: WatchedSession = {
    ...{ purpose, socket },
    backend: { pid: client.threadId, started: null, server: client.facts.identity },
    awaits: () => client.awaits,
    // What was written before the last answer has arrived; the protocol says no more.
    arrivedBytes: () => 0,
  };
  watchOf(endpoint, side).add(watched);
  return watched;
}

const watches = new WeakMap<EndpointConfig, SessionWatch>();

/** Looks after all sessions that were opened with an endpoint. */
function watchOf(endpoint: EndpointConfig, side: EndpointRole): SessionWatch {
  let found = watches.get(endpoint);
  if (found === undefined) {
    const looking = new SessionLook(endpoint, side);
    const server = { look: (pids: readonly number[]) => looking.look(pids), end: async () => {} };
    found = new SessionWatch(server, errorAddress(endpoint));
    watches.set(endpoint, found);
  }
  return found;
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
  const { client, watched } = await open(endpoint, options, signal);
  const { raw } = client;
  const socket = socketOf(raw);
  const kill = (): void => void killSession(endpoint, options.side, client);
  const abort = (): void => {
    if (socket.destroyed) return;
    socket.destroy();
    kill();
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
  const { threadId, facts } = client;
  const wire = new WireSession(socket, { threadId, facts, extendedMetadata, closed: forget, kill });
  watched.awaits = () => wire.awaits();
  return wire;
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

/** DMS's AfterConnectScript: statements for every ordinary session on the target. */
async function afterConnect(
  client: Client,
  endpoint: EndpointConfig,
  { options, signal }: { readonly options: ConnectOptions; readonly signal: AbortSignal },
): Promise<void> {
  const script = endpoint.settings["AfterConnectScript"];
  const abort = (): void => client.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (typeof script === "string" && script !== "" && options.side === "target") {
      await client.execute(script);
      // What values mean is not the script's to say.
      await client.execute(sessionSettings("target"));
    }
    signal.throwIfAborted();
  } catch (error) {
    client.destroy();
    throw classify(error, { side: "target", endpoint, subject: "AfterConnectScript" });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
