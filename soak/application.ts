import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { createDemoData } from "../test/support/demo-data.ts";
import { eventually } from "../test/support/eventually.ts";
import type { PostgresServer } from "../test/support/postgres-server.ts";
import { isAboutStatement, isRefusal, Workload, type WorkloadStatistics } from "../test/support/workload.ts";
import { deeds, endPrepared } from "./deeds.ts";
import { RULED_SQL } from "./ruled.ts";
import { soakTransactions } from "./transactions.ts";

const CLIENTS = 4;
const BEAT_MS = 1000;
/** From the end of a large or rare thing to the next one: each comes about twice a minute. */
const BETWEEN_DEEDS_MS = 3000;
const RECONNECT_MS = 200;

export interface ApplicationOptions {
  readonly server: PostgresServer;
  readonly database: string;
  /** Transactions a second. */
  readonly rate: number;
  readonly rows: number;
}

/** Writes to the source until it is stopped, whatever happens to the server meanwhile. */
export class Application implements AsyncDisposable {
  readonly #options: ApplicationOptions;
  readonly #workload: Workload;
  readonly #stop = new AbortController();
  readonly #loops: Promise<unknown>;
  #deeds = 0;

  private constructor(options: ApplicationOptions, workload: Workload) {
    this.#options = options;
    this.#workload = workload;
    this.#loops = Promise.all([
      this.#repeat(BEAT_MS, (client) => beat(client)),
      this.#repeat(BETWEEN_DEEDS_MS, (client) => this.#deed(client)),
    ]);
    // Told by ended and stop(); without this a failure before that would end the process.
    this.#loops.catch(() => undefined);
  }

  /** Makes schemas and rows, and begins to write. */
  static async start(options: ApplicationOptions): Promise<Application> {
    const connect = (): Promise<pg.Client> => options.server.connect(options.database);
    const sizes = await createDemoData(connect, options.rows);
    const schema = await readFile(join(import.meta.dirname, "schema.sql"), "utf8");
    await options.server.query(`${schema}; ${RULED_SQL}`, options.database);
    const workload = await Workload.start({
      ...{ connect, sizes, kinds: soakTransactions, clients: CLIENTS, reconnects: true },
      transactionsPerSecond: options.rate,
    });
    return new Application(options, workload);
  }

  get statistics(): WorkloadStatistics & { readonly deeds: number } {
    return { ...this.#workload.statistics, deeds: this.#deeds };
  }

  /** Rejects when the source refuses a statement: then the soak itself is wrong. */
  get ended(): Promise<unknown> {
    return Promise.all([this.#workload.ended, this.#loops]);
  }

  /** Ends the transactions that run, and resolves with the last beat. */
  async stop(): Promise<number> {
    this.#stop.abort();
    await this.#workload.stop();
    await this.#loops;
    const client = await this.#connect();
    try {
      await endPrepared(client);
      return await beat(client);
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#workload[Symbol.asyncDispose]();
    await this.#loops.catch(() => undefined);
  }

  /** Does the same again and again over one connection, and over another when that breaks. */
  async #repeat(restMs: number, act: (client: pg.Client) => Promise<unknown>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const client = await this.#connect().catch(() => undefined);
      try {
        while (client !== undefined && !signal.aborted) {
          await act(client);
          await delay(restMs, undefined, { signal });
        }
      } catch (error) {
        if (isAboutStatement(error)) throw error;
      } finally {
        await client?.end().catch(() => undefined);
      }
      await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #deed(client: pg.Client): Promise<void> {
    await endPrepared(client);
    const number = this.#deeds++;
    const round = 1 + Math.floor(number / deeds.length);
    try {
      await deeds[number % deeds.length]!.run(client, round);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await client.query("rollback");
    }
  }

  #connect(): Promise<pg.Client> {
    const { server, database } = this.#options;
    return this.#stop.signal.aborted
      ? eventually("the source to answer", () => server.connect(database).catch(() => undefined))
      : server.connect(database);
  }
}

/** Resolves with the new number. */
async function beat(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    "update soak.beat set number = number + 1, at = clock_timestamp() where id = 1 returning number::int",
  );
  return rows[0].number as number;
}
