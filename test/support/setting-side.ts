import type { EndpointConfig } from "../../src/core/engine.ts";
import { endpointOf } from "./endpoint.ts";
import { MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { Rows } from "./rule-case.ts";

/** A schema of its own on a server of either kind, in which statements run. */
export class SettingSide {
  readonly endpoint: EndpointConfig;
  readonly #server: PostgresServer | MysqlServer;
  readonly #schema: string;

  private constructor(server: PostgresServer | MysqlServer, schema: string, endpoint: EndpointConfig) {
    this.endpoint = endpoint;
    this.#server = server;
    this.#schema = schema;
  }

  static async make(server: PostgresServer | MysqlServer, schema: string): Promise<SettingSide> {
    if (server instanceof MysqlServer) {
      await server.query(`create database ${schema}`);
      return new SettingSide(server, schema, server.endpoint());
    }
    const database = await server.createDatabase("settings");
    await server.query(`create schema ${schema}`, database);
    return new SettingSide(server, schema, endpointOf(server, database));
  }

  async query(sql: string): Promise<Rows> {
    const server = this.#server;
    const found: readonly object[] =
      server instanceof MysqlServer
        ? await server.query(sql, this.#schema)
        : await server.query(`set search_path = ${this.#schema}; ${sql}`, this.endpoint.database);
    return found.map((row) => Object.values(row).map((value) => (value === null ? null : String(value))));
  }

  /** Does something while a transaction that has run a statement is open; it is undone afterwards. */
  async holding(sql: string, meanwhile: () => Promise<void>): Promise<void> {
    const server = this.#server;
    if (server instanceof MysqlServer) {
      const connection = await server.connect(this.#schema);
      await connection
        .query(`begin; ${sql}`)
        .then(meanwhile)
        .finally(() => connection.end());
      return;
    }
    const client = await server.connect(this.endpoint.database);
    await client
      .query(`set search_path = ${this.#schema}; begin; ${sql}`)
      .then(meanwhile)
      .finally(() => client.end());
  }
}
