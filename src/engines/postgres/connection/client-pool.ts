import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import { connect, watchOf } from "./connection.ts";
import { type ConnectOptions, destroy } from "./driver-client.ts";
import type { ErrorContext } from "./error-context.ts";
import { classify } from "./errors.ts";

/** More than this is not kept: what is asked often, is asked by a few at a time. */
const IDLE_LIMIT = 4;

/**
 * Driver clients for pieces of work, reused when they ended well and outside a transaction. The work
 * must not change session settings; `setUp` may, once for each client. When the signal aborts, the connection
 * is cut, and the session watch tells the server to stop what it runs, so that no statement goes on holding locks
 * that nobody waits for; disposing waits until it is told.
 */
export class ClientPool implements AsyncDisposable {
  readonly #endpoint: EndpointConfig;
  readonly #options: ConnectOptions;
  readonly #setUp: ((client: pg.Client) => Promise<void>) | undefined;
  readonly #idle: pg.Client[] = [];
  #closed = false;

  constructor(
    endpoint: EndpointConfig,
    options: ConnectOptions,
    setUp?: (client: pg.Client) => Promise<void>,
  ) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#setUp = setUp;
  }

  /** Throws the signal's reason when it aborts, else what classify() makes of the work's error. */
  async use<Result>(
    signal: AbortSignal,
    work: (client: pg.Client) => Promise<Result>,
    context: Pick<ErrorContext, "table" | "phase" | "subject"> = {},
  ): Promise<Result> {
    signal.throwIfAborted();
    const idle = this.#idle.pop();
    const client = idle ?? (await this.#open(signal));
    const abort = (): void => destroy(client);
    signal.addEventListener("abort", abort, { once: true });
    try {
      if (idle === undefined) await this.#setUp?.(client);
      const result = await work(client);
      this.#giveBack(client);
      return result;
    } catch (error) {
      destroy(client);
      if (signal.aborted) throw signal.reason;
      throw classify(error, { side: this.#options.side, endpoint: this.#endpoint, ...context });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((client) => client.end()));
    await watchOf(this.#endpoint).ended();
  }

  async #open(signal: AbortSignal): Promise<pg.Client> {
    const client = await connect(this.#endpoint, this.#options, signal);
    client.once("end", () => {
      const at = this.#idle.indexOf(client);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return client;
  }

  #giveBack(client: pg.Client): void {
    const clean = client.getTransactionStatus() === "I";
    if (clean && !this.#closed && this.#idle.length < IDLE_LIMIT) this.#idle.push(client);
    else client.end().catch(() => undefined);
  }
}
