import type { DatabaseSync } from "node:sqlite";
import { writeError } from "./write-error.ts";

type Statement = ReturnType<DatabaseSync["prepare"]>;

/** The statements of one database, each prepared once. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Statement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** Resolves with the number of rows that were changed. Throws `server.store_full` when the disk does not take it. */
  run(sql: string, ...values: (string | number | Uint8Array)[]): number {
    try {
      return Number(this.prepare(sql).run(...values).changes);
    } catch (error) {
      throw writeError(error);
    }
  }

  /** All of it, or nothing. */
  atomically<T>(work: () => T): T {
    this.#database.exec("begin");
    try {
      const result = work();
      this.#database.exec("commit");
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("rollback");
      throw writeError(error);
    }
  }
}
