import type mysql from "mysql2";
import type { EndpointConfig } from "../../../core/engine.ts";
import { type Client, socketOf } from "./client.ts";
import { classify } from "./errors.ts";
import { killSession } from "./kill-session.ts";
import { type ConnectOptions, openClient } from "./open-client.ts";
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
  signal.throwIfAborted();
  try {
    const client = await openClient(endpoint, options, signal);
    await afterConnect(client, endpoint, { options, signal });
    return client;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw classify(error, { side: options.side, endpoint });
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
  return new WireSession(socket, {
    threadId: client.threadId,
    facts: client.facts,
    extendedMetadata,
    closed: forget,
    kill,
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
