import type pg from "pg";
import type { EndpointConfig } from "../../core/engine.ts";
import { type ConnectOptions, connect, destroy, processId } from "./connection.ts";
import type { ErrorContext } from "./error-context.ts";
import { classify } from "./errors.ts";

/** More than this is not kept: what is asked often, is asked by a few at a time. */
const IDLE_LIMIT = 4;
const TERMINATE_TIMEOUT_MS = 5_000;

/**
 * Driver clients for pieces of work, reused when they ended well and outside a transaction. The work
 * must not change session settings; `setUp` may, once for each client. When the signal aborts, the connection is cut and the server
 * is told to stop what it runs, so that no statement goes on holding locks that nobody waits for.
 */
export class ClientPool implements AsyncDisposable {
  readonly #endpoint: EndpointConfig;
  readonly #options: ConnectOptions;
  readonly #setUp: ((client: pg.Client) => Promise<void>) | undefined;
  readonly #idle: pg.Client[] = [];
  readonly #terminations = new Set<Promise<void>>();
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
    const detach = this.#endWith(client, signal);
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
      detach();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#idle.splice(0).map((client) => client.end()), ...this.#terminations]);
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

  /** Ties a client to a signal; the result unties them. */
  #endWith(client: pg.Client, signal: AbortSignal): () => void {
    const abort = (): void => {
      destroy(client);
      const termination = this.#terminate(client).catch(() => undefined);
      this.#terminations.add(termination);
      void termination.then(() => this.#terminations.delete(termination));
    };
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  }

  /** A server notices a cut connection only when it has something to send: after CREATE INDEX, not during it. */
  async #terminate(client: pg.Client): Promise<void> {
    const signal = AbortSignal.timeout(TERMINATE_TIMEOUT_MS);
    const other = await connect(this.#endpoint, this.#options, signal);
    try {
      // Behind a connection pooler the number may be another session's.
      await other.query(
        `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
          where pid = $1 and application_name = $2 and usename = session_user`,
        [processId(client), this.#options.purpose],
      );
    } finally {
      await other.end();
    }
  }
}
