import type { EndpointConfig } from "../../../core/engine.ts";
import { openWire } from "./connection.ts";
import type { ConnectOptions } from "./driver-client.ts";
import { whenFree } from "./when-free.ts";
import type { WireSession } from "./wire-session.ts";

/** How long the WAL sender of a session that has ended, or whose worker was killed, may still be counted. */
const SENDER_PATIENCE_MS = 10_000;
/** Each try is a connection. */
const LONGEST_PAUSE_MS = 1_000;

/**
 * A session that takes replication commands, which is one of the server's WAL senders (max_wal_senders): those that a
 * task has just closed may be all there are. Throws `source.no_free_slot` when none becomes free.
 */
export function openReplication(
  endpoint: EndpointConfig,
  options: Pick<ConnectOptions, "purpose" | "gulps">,
  signal: AbortSignal,
): Promise<WireSession> {
  const session = { ...options, side: "source", replication: true } as const;
  const patience = { patienceMs: SENDER_PATIENCE_MS, longestPauseMs: LONGEST_PAUSE_MS, signal };
  return whenFree(() => openWire(endpoint, session, signal), patience);
}
