import type { EndpointConfig } from "../../../core/engine.ts";
import type { Client } from "./client.ts";
import { type ConnectOptions, connect } from "./connection.ts";
import type { ErrorContext } from "./error-context.ts";
import { classify } from "./errors.ts";
import { killSession } from "./kill-session.ts";

/** More than this is not kept: what is asked often, is asked by a few at a time. */
const IDLE_LIMIT = 4;

/**
 * Clients for pieces of work, reused when they ended well. The work ends its transactions and must not change
 * session settings; `setUp` may, once for each client. When the signal aborts, the connection is cut and the
 * server is told to stop what it runs, so that no statement goes on holding locks that nobody waits for; disposing
 * waits until it is told.
 */
export class ClientPool implements AsyncDisposable {
  readonly #endpoint: EndpointConfig;
  readonly #options: ConnectOptions;
  readonly #setUp: ((client: Client) => Promise<void>) | undefined;
  readonly #idle: Client[] = [];
  readonly #kills = new Set<Promise<void>>();
  #closed = false;

  constructor(endpoint: EndpointConfig, options: ConnectOptions, setUp?: (client: Client) => Promise<void>) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#setUp = setUp;
  }

  /** Throws the signal's reason when it aborts, else what classify() makes of the work's error. */
  async use<Result>(
    signal: AbortSignal,
    work: (client: Client) => Promise<Result>,
    context: Pick<ErrorContext, "table" | "phase" | "subject"> = {},
  ): Promise<Result> {
    signal.throwIfAborted();
    const idle = this.#takeIdle();
    const client = idle ?? (await connect(this.#endpoint, this.#options, signal));
    const abort = (): void => this.#cut(client);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      if (idle === undefined) await this.#setUp?.(client);
      const result = await work(client);
      this.#giveBack(client);
      return result;
    } catch (error) {
      client.destroy();
      if (signal.aborted) throw signal.reason;
      throw classify(error, { side: this.#options.side, endpoint: this.#endpoint, ...context });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((client) => client.end()));
    await Promise.all(this.#kills);
  }

  #takeIdle(): Client | undefined {
    for (;;) {
      const client = this.#idle.pop();
      if (client === undefined || client.usable) return client;
    }
  }

  #cut(client: Client): void {
    client.destroy();
    const kill = killSession(this.#endpoint, this.#options.side, client);
    this.#kills.add(kill);
    void kill.finally(() => this.#kills.delete(kill));
  }

  #giveBack(client: Client): void {
    if (!this.#closed && this.#idle.length < IDLE_LIMIT && client.usable) this.#idle.push(client);
    else void client.end();
  }
}
