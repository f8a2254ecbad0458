import type { EngineRegistry } from "../core/engine.ts";
import type { Log } from "../task/log.ts";
import type { Store } from "../task/store.ts";
import type { Supervisor } from "../task/supervisor.ts";

/** What the operations work with. */
export interface Service {
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly engines: EngineRegistry;
  readonly log: Log;
  /** Twelve digits, part of every ARN. */
  readonly account: string;
}

/** One request's surroundings: the region is the one its signature names. */
export interface Call extends Service {
  readonly region: string;
}

/**
 * Work that a request starts and does not wait for. It must come to its end by itself; what it throws
 * is a defect and goes to the log.
 */
export function inBackground(service: Service, work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    service.log("error", "background work failed", { error: detail });
  });
}
