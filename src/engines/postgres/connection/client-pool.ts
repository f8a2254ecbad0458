import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import { ClientPool } from "../../shared/connection/client-pool.ts";
import { connect, watchOf } from "./connection.ts";
import { type ConnectOptions, destroy, socketOf } from "./driver-client.ts";
import { classify } from "./errors.ts";

/** Driver clients for one endpoint's pieces of work; `setUp` makes session settings, once for each client. */
export function clientPool(
  endpoint: EndpointConfig,
  options: ConnectOptions,
  setUp?: (client: pg.Client) => Promise<void>,
): ClientPool<pg.Client> {
  const { side } = options;
  return new ClientPool<pg.Client>({
    open: (signal) => connect(endpoint, options, signal),
    setUp,
    isReusable: (client) => client.getTransactionStatus() === "I" && !socketOf(client).destroyed,
    end: (client) => client.end().catch(() => undefined),
    destroy,
    // The session watch sees the cut, and tells the server to stop what it runs.
    cut: destroy,
    allToldOf: () => watchOf(endpoint).ended(),
    classify: (error, context) => classify(error, { side, endpoint, ...context }),
  });
}
