import type pg from "pg";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { endpointOf } from "./endpoint.ts";
import { MysqlServer } from "./mysql-server.ts";
import { lastRows, type PostgresServer } from "./postgres-server.ts";
import type { Rows } from "./rule-case.ts";

/** Databases that no case uses: to make one costs more than most of a case does. */
const free = new WeakMap<PostgresServer, string[]>();

/** A schema of its own on a server of either kind, in which statements run. */
export abstract class SettingSide {
  readonly schema: string;
  abstract readonly endpoint: EndpointConfig;

  protected constructor(schema: string) {
    this.schema = schema;
  }

  static make(server: PostgresServer | MysqlServer, schema: string): Promise<SettingSide> {
    return server instanceof MysqlServer ? MysqlSide.in(server, schema) : PostgresSide.in(server, schema);
  }

  async query(sql: string): Promise<Rows> {
    const found = await this.rows(sql);
    return found.map((row) => Object.values(row).map((value) => (value === null ? null : String(value))));
  }

  /** Does something while a transaction that has run a statement is open; it is undone afterwards. */
  abstract holding(sql: string, meanwhile: () => Promise<void>): Promise<void>;
  /** The case has ended. */
  abstract end(): Promise<void>;
  protected abstract rows(sql: string): Promise<readonly object[]>;
}

class MysqlSide extends SettingSide {
  readonly endpoint: EndpointConfig;
  readonly #server: MysqlServer;

  static async in(server: MysqlServer, schema: string): Promise<MysqlSide> {
    await server.query(`create database ${schema}`);
    return new MysqlSide(server, schema);
  }

  private constructor(server: MysqlServer, schema: string) {
    super(schema);
    this.#server = server;
    this.endpoint = server.endpoint();
  }

  async holding(sql: string, meanwhile: () => Promise<void>): Promise<void> {
    const connection = await this.#server.connect(this.schema);
    await connection
      .query(`begin; ${sql}`)
      .then(meanwhile)
      .finally(() => connection.end());
  }

  async end(): Promise<void> {}

  protected rows(sql: string): Promise<readonly object[]> {
    return this.#server.query(sql, this.schema);
  }
}

class PostgresSide extends SettingSide {
  readonly endpoint: EndpointConfig;
  readonly #server: PostgresServer;
  readonly #client: pg.Client;

  static async in(server: PostgresServer, schema: string): Promise<PostgresSide> {
    const database = free.get(server)?.pop() ?? (await server.createDatabase("settings"));
    const client = await server.connect(database);
    await client.query(`create schema ${schema}; set search_path = ${schema}`);
    return new PostgresSide(client, { server, database, schema });
  }

  private constructor(
    client: pg.Client,
    {
      server,
      database,
      schema,
    }: { readonly server: PostgresServer; readonly database: string; readonly schema: string },
  ) {
    super(schema);
    this.#server = server;
    this.#client = client;
    this.endpoint = endpointOf(server, database);
  }

  async holding(sql: string, meanwhile: () => Promise<void>): Promise<void> {
    const client = await this.#server.connect(this.endpoint.database);
    await client
      .query(`set search_path = ${this.schema}; begin; ${sql}`)
      .then(meanwhile)
      .finally(() => client.end());
  }

  /** Leaves the database to another case. */
  async end(): Promise<void> {
    await this.#client.query(
      `drop schema ${this.schema} cascade; select lo_unlink(oid) from pg_largeobject_metadata`,
    );
    await this.#client.end();
    const others = free.get(this.#server) ?? [];
    free.set(this.#server, [...others, this.endpoint.database]);
  }

  protected rows(sql: string): Promise<readonly object[]> {
    return lastRows(this.#client, sql);
  }
}
