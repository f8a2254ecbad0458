import type { EndpointConfig } from "../../../core/engine.ts";
import { ClientPool } from "../../shared/connection/client-pool.ts";
import type { Client } from "./client.ts";
import { type ConnectOptions, connect } from "./connection.ts";
import { classify } from "./errors.ts";
import { killSession } from "./kill-session.ts";

/** Clients for one endpoint's pieces of work. */
export function clientPool(endpoint: EndpointConfig, options: ConnectOptions): ClientPool<Client> {
  const { side } = options;
  const kills = new Set<Promise<void>>();
  return new ClientPool<Client>({
    open: (signal) => connect(endpoint, options, signal),
    isReusable: (client) => client.usable,
    end: (client) => client.end(),
    destroy: (client) => client.destroy(),
    cut: (client) => {
      client.destroy();
      const kill = killSession(endpoint, side, client);
      kills.add(kill);
      void kill.finally(() => kills.delete(kill));
    },
    allToldOf: async () => {
      await Promise.all(kills);
    },
    classify: (error, context) => classify(error, { side, endpoint, ...context }),
  });
}
