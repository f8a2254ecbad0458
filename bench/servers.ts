import type { PostgresServer } from "../test/support/postgres-server.ts";
import type { Context } from "./profile.ts";

/** The same for both servers. Durable, as a server that somebody needs is; and the same in every run. */
export const serverSettings: Readonly<Record<string, string | number>> = {
  fsync: "on",
  shared_buffers: "1GB",
  max_wal_size: "8GB",
  // Segments that are kept and used again, as on a server that has run for a while.
  min_wal_size: "2GB",
  wal_level: "logical",
  autovacuum: "off",
  max_replication_slots: 60,
  max_wal_senders: 60,
};

export interface ServerPair {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
}

export async function startServers({ stage, serverVersion }: Context): Promise<ServerPair> {
  const options = { version: serverVersion, fsync: true, settings: serverSettings };
  const [source, target] = await Promise.all([stage.server(options), stage.server(options)]);
  return { source, target };
}

/** Both have nothing left to write when a run begins. */
export async function settle({ source, target }: ServerPair): Promise<void> {
  await Promise.all([source.query("checkpoint"), target.query("checkpoint")]);
}
