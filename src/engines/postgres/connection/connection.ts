import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import {
  type SessionServer,
  SessionWatch,
  type WatchedSession,
} from "../../shared/connection/session-watch.ts";
import { errorAddress } from "./address.ts";
import {
  arrivals,
  awaitsAnswer,
  type ConnectOptions,
  cutAfterGoodbye,
  destroy,
  gulps,
  openClient,
  socketOf,
  takeSocket,
} from "./driver-client.ts";
import { classify } from "./errors.ts";
import { endSessions, lookAtSessions } from "./session-look.ts";
import { WireSession } from "./wire-session.ts";

/**
 * A connected driver client; values as text or null. The caller ends it. Throws the signal's reason when it aborts
 * while connecting, else a MigrationError.
 */
export async function connect(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<pg.Client> {
  return (await open(endpoint, options, signal)).client;
}

async function open(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<{ readonly client: pg.Client; readonly watched: WatchedSession | undefined }> {
  signal.throwIfAborted();
  try {
    const { client, backend } = await openClient(endpoint, options, signal);
    const awaits = (): boolean => awaitsAnswer(client);
    const { purpose } = options;
    const watched =
      backend === undefined
        ? undefined
        : { backend, purpose, socket: socketOf(client), awaits, arrivedBytes: arrivals(client) };
    if (watched !== undefined) watchOf(endpoint).add(watched);
    await afterConnect(client, endpoint, options, signal);
    return { client, watched };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw classify(error, { side: options.side, endpoint });
  }
}

/** DMS's AfterConnectScript: statements for every ordinary session on the target, such as SET ROLE. */
async function afterConnect(
  client: pg.Client,
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<void> {
  const abort = (): void => destroy(client);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    const script = endpoint.settings["AfterConnectScript"];
    if (typeof script !== "string" || script === "") return signal.throwIfAborted();
    if (options.side === "target" && options.replication !== true) await client.query(script);
    signal.throwIfAborted();
  } catch (error) {
    destroy(client);
    throw classify(error, { side: "target", endpoint, subject: "AfterConnectScript" });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A session of our own on a connection that the driver has made; see WireSession. */
export async function openWire(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<WireSession> {
  const { client, watched } = await open(endpoint, options, signal);
  const socket = takeSocket(client);
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const close = async (): Promise<void> => {
    signal.removeEventListener("abort", abort);
    if (socket.destroyed) return;
    cutAfterGoodbye(socket);
    socket.end(TERMINATE);
    // Nobody reads what is still under way; the server's goodbye comes behind it.
    socket.removeAllListeners("data");
    socket.resume();
  };
  const wire = new WireSession(socket, { mayGulp: gulps(endpoint, options), close });
  if (watched !== undefined) {
    watched.awaits = () => wire.awaits;
    watched.arrivedBytes = () => wire.arrivedBytes;
  }
  return wire;
}

const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

const watches = new WeakMap<EndpointConfig, SessionWatch>();

/** Looks after all sessions that were opened with an endpoint. */
export function watchOf(endpoint: EndpointConfig): SessionWatch {
  let watch = watches.get(endpoint);
  if (watch === undefined) {
    const server: SessionServer = {
      look: (pids) => lookAtSessions(endpoint, pids),
      end: (sessions) => endSessions(endpoint, sessions),
    };
    watch = new SessionWatch(server, errorAddress(endpoint));
    watches.set(endpoint, watch);
  }
  return watch;
}
