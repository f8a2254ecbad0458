import type pg from "pg";
import { becomesTrue } from "./eventually.ts";
import type { PostgresServer } from "./postgres-server.ts";

/**
 * A table (id, pad) of the schema app that is on the target before the task, with a row that cannot come: a load that
 * leaves tables as they are (DO_NOTHING) gets so far and no further until this is disposed.
 */
export class LoadGate implements AsyncDisposable {
  readonly #server: PostgresServer;
  readonly #database: string;
  readonly #holder: pg.Client;

  private constructor(server: PostgresServer, database: string, holder: pg.Client) {
    this.#server = server;
    this.#database = database;
    this.#holder = holder;
  }

  static async make(
    server: PostgresServer,
    database: string,
    { table, id }: { readonly table: string; readonly id: number },
  ): Promise<LoadGate> {
    await server.query(
      `create schema app; create table app.${table} (id int primary key, pad text);
       create function app.wait() returns trigger language plpgsql as
         $$ begin perform pg_advisory_xact_lock_shared(1); return new; end $$;
       create trigger gate before insert on app.${table} for each row when (new.id = ${id})
         execute function app.wait();
       alter table app.${table} enable always trigger gate`,
      database,
    );
    const holder = await server.connect(database);
    await holder.query("select pg_advisory_lock(1)");
    return new LoadGate(server, database, holder);
  }

  /** Resolves when a load waits for the row. */
  async reached(): Promise<void> {
    await becomesTrue(
      this.#server,
      this.#database,
      `exists (select from pg_locks join pg_database on pg_database.oid = database
         where locktype = 'advisory' and not granted and datname = current_database())`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.end();
  }
}
