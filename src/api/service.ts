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
  readonly topics: Topics;
  /** Requests that change something take turns; none of them waits for a database. */
  readonly turns: Turns;
}

/** Where events can be delivered to. */
export interface Topics {
  /** Whether a text is the ARN of a topic, and there is a way to it. */
  state(arn: string): "known" | "unknown" | "malformed";
  /** A subscription, by its ARN, is not what it was: what waits to be told again is tried now. */
  retry(subscription: string): void;
}

/** Lets work that looks before it changes do so without another between, one after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
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
