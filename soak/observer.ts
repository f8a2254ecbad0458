import type pg from "pg";
import type { PostgresServer } from "../test/support/postgres-server.ts";
import { isAboutStatement } from "../test/support/workload.ts";

/** Asks a database questions over a connection of its own that no fault goes through, whenever the server is there. */
export class Observer implements AsyncDisposable {
  readonly #server: PostgresServer;
  readonly #database: string;
  #client: pg.Client | undefined;
  /** Questions in turn. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(server: PostgresServer, database: string) {
    this.#server = server;
    this.#database = database;
  }

  /** The first row; undefined when there is none, or no server. Throws what the server has against the question. */
  ask<Row>(sql: string, values: readonly unknown[] = []): Promise<Row | undefined> {
    const answer = this.#last.then(() => this.#ask<Row>(sql, values));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#client?.end().catch(() => undefined);
  }

  async #ask<Row>(sql: string, values: readonly unknown[]): Promise<Row | undefined> {
    try {
      this.#client ??= await this.#server.connect(this.#database);
      return (await this.#client.query(sql, [...values])).rows[0] as Row | undefined;
    } catch (error) {
      if (isAboutStatement(error)) throw error;
      await this.#client?.end().catch(() => undefined);
      this.#client = undefined;
      return undefined;
    }
  }
}
