import type { MigrationError } from "../../../core/error.ts";
import type { ErrorContext } from "./error-context.ts";

/** More than this is not kept: what is asked often, is asked by a few at a time. */
const IDLE_LIMIT = 4;

/** How an engine's clients are had and left. */
export interface PooledClients<Client> {
  /** Connects. Throws the signal's reason when it aborts, else a MigrationError. */
  open(signal: AbortSignal): Promise<Client>;
  /** Session settings for every piece of work, made once for each client. */
  readonly setUp?: ((client: Client) => Promise<void>) | undefined;
  /** Whether a client can take on other work: it is connected and outside a transaction. */
  isReusable(client: Client): boolean;
  /** Says goodbye. Never throws. */
  end(client: Client): Promise<void>;
  /** Cuts the connection: what is under way fails. */
  destroy(client: Client): void;
  /** As destroy(), and has the server stop what it runs for the client. */
  cut(client: Client): void;
  /** Resolves when the server has been told of all that was cut. */
  allToldOf(): Promise<void>;
  classify(error: unknown, context: Omit<ErrorContext, "side" | "endpoint">): MigrationError;
}

/**
 * Clients for pieces of work, reused when they ended well. The work ends its transactions and must not change
 * session settings. When the signal aborts, the connection is cut and the server is told to stop what it runs, so
 * that no statement goes on holding locks that nobody waits for; disposing waits until it is told.
 */
export class ClientPool<Client> implements AsyncDisposable {
  readonly #clients: PooledClients<Client>;
  readonly #idle: Client[] = [];
  #closed = false;

  constructor(clients: PooledClients<Client>) {
    this.#clients = clients;
  }

  /** Throws the signal's reason when it aborts, else what classify() makes of the work's error. */
  async use<Result>(
    signal: AbortSignal,
    work: (client: Client) => Promise<Result>,
    context: Pick<ErrorContext, "table" | "phase" | "subject"> = {},
  ): Promise<Result> {
    signal.throwIfAborted();
    const clients = this.#clients;
    const idle = this.#takeIdle();
    const client = idle ?? (await clients.open(signal));
    const abort = (): void => clients.cut(client);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      if (idle === undefined) await clients.setUp?.(client);
      const result = await work(client);
      this.#giveBack(client);
      return result;
    } catch (error) {
      clients.destroy(client);
      if (signal.aborted) throw signal.reason;
      throw clients.classify(error, context);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((client) => this.#clients.end(client)));
    await this.#clients.allToldOf();
  }

  #takeIdle(): Client | undefined {
    for (;;) {
      const client = this.#idle.pop();
      if (client === undefined || this.#clients.isReusable(client)) return client;
    }
  }

  #giveBack(client: Client): void {
    const kept = !this.#closed && this.#idle.length < IDLE_LIMIT && this.#clients.isReusable(client);
    if (kept) this.#idle.push(client);
    else void this.#clients.end(client);
  }
}
