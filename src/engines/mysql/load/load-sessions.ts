import type { EndpointConfig } from "../../../core/engine.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import type { Loader, LoadRequest } from "../../../core/target.ts";
import { mismatch } from "../../shared/catalog/table-misfit.ts";
import { LoadTallies } from "../../shared/load/load-tallies.ts";
import { takeLoadLock } from "../apply/load-lock.ts";
import { targetColumns } from "../catalog/target-columns.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { killSession } from "../connection/kill-session.ts";
import { type OutOfRange, outOfRangeOf } from "../values/out-of-range.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { type LoadColumns, loadColumns } from "./load-columns.ts";
import { loadError, MysqlLoader } from "./loader.ts";
import { rowWriter } from "./row-writer.ts";
import { openScreenedLoader } from "./screened-loader.ts";

/** A session lent to one load. The first call of giveBack() or discard() ends the loan; later ones do nothing. */
export interface LentSession {
  readonly client: Client;
  /** The session is idle and outside any transaction. */
  giveBack(): void;
  /** Cuts the connection at once: whatever the server was doing for it is rolled back. */
  discard(): void;
}

/**
 * Loaders of one target that share their sessions, one partition after the other. Holds as many as were ever lent at
 * once; the borrowers set that limit.
 */
export class LoaderPool implements AsyncDisposable {
  readonly #endpoint: EndpointConfig;
  readonly #choices: OutOfRange;
  readonly #counts: ValueCounts;
  readonly #idle: Client[] = [];
  readonly #lent = new Set<LentSession>();
  readonly #kills = new Set<Promise<void>>();
  readonly #columns = new WeakMap<TablePlan, LoadColumns>();
  readonly #tallies = new LoadTallies();
  #closed = false;

  /** `counts`: of values that have come as others. */
  constructor(endpoint: EndpointConfig, counts: ValueCounts) {
    this.#endpoint = endpoint;
    this.#choices = outOfRangeOf(endpoint);
    this.#counts = counts;
  }

  /** What the target's own columns are like; asked again when a table is loaded whose plan is another one. */
  know(plan: TablePlan, columns: LoadColumns): void {
    this.#columns.set(plan, columns);
  }

  /** Starts the transaction that writes one partition. */
  async open(request: LoadRequest, signal: AbortSignal): Promise<Loader> {
    const { screens } = request;
    if (screens !== undefined) {
      const shared = { endpoint: this.#endpoint, replaced: this.#counts, tallies: this.#tallies };
      return await openScreenedLoader(shared, { ...request, screens }, signal);
    }
    let session: LentSession | undefined;
    try {
      session = await this.#lend(signal);
      const { client } = session;
      const columns = this.#columns.get(request.plan) ?? (await this.#ask(client, request.plan));
      const unlock = await takeLoadLock(client, request);
      await client.execute("start transaction");
      const writer = rowWriter(client, columns);
      const shared = { counts: this.#counts, endpoint: this.#endpoint, signal };
      return new MysqlLoader({ session, request, columns, writer, unlock, ...shared });
    } catch (error) {
      session?.discard();
      throw signal.aborted ? signal.reason : loadError(error, this.#endpoint, request);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const session of [...this.#lent]) session.discard();
    await Promise.all(this.#idle.splice(0).map((client) => client.end()));
    await Promise.all(this.#kills);
  }

  async #ask(client: Client, plan: TablePlan): Promise<LoadColumns> {
    const columns = (await targetColumns(client, [plan.target.id])).get(tableKey(plan.target.id));
    if (columns === undefined) throw mismatch(plan, "it is not there");
    const made = loadColumns(plan, columns, this.#choices);
    this.#columns.set(plan, made);
    return made;
  }

  async #lend(signal: AbortSignal): Promise<LentSession> {
    signal.throwIfAborted();
    const client = this.#reusable() ?? (await openSession(this.#endpoint, signal));
    const abort = (): void => session.discard();
    const end = (): boolean => {
      signal.removeEventListener("abort", abort);
      return this.#lent.delete(session);
    };
    const session: LentSession = {
      client,
      giveBack: () => {
        if (!end()) return;
        if (this.#closed || !client.usable) void client.end();
        else this.#idle.push(client);
      },
      discard: () => {
        if (end()) this.#cut(client);
      },
    };
    this.#lent.add(session);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted || this.#closed) session.discard();
    signal.throwIfAborted();
    return session;
  }

  #reusable(): Client | undefined {
    for (;;) {
      const client = this.#idle.pop();
      if (client === undefined || client.usable) return client;
    }
  }

  /** The server notices a cut connection only when it writes to it; until then it holds locks on rows. */
  #cut(client: Client): void {
    client.destroy();
    const kill = killSession(this.#endpoint, "target", client);
    this.#kills.add(kill);
    void kill.finally(() => this.#kills.delete(kill));
  }
}

/**
 * Rows of tables that are loaded beside each other refer to rows that are not there yet. Unique indexes are looked at row
 * by row, whatever the server's default is: without that a row that is there already may go in unseen, and MariaDB's bulk
 * insert into an empty table takes three times as long for LOAD DATA LOCAL (10.11, three million narrow rows).
 */
async function openSession(endpoint: EndpointConfig, signal: AbortSignal): Promise<Client> {
  const options = { side: "target", purpose: "tideway load", infileLocal: true } as const;
  const client = await connect(endpoint, options, signal);
  try {
    await client.execute("set foreign_key_checks = 0, unique_checks = 1");
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  }
}
