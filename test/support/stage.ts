import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MysqlOptions, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresOptions, type PostgresServer, startPostgres } from "./postgres-server.ts";

export interface StageOptions {
  /** How the directory's name begins. */
  readonly prefix: string;
  /** Where the directory is made; the system's temporary directory by default. */
  readonly parent?: string;
}

/**
 * What a program sets up and must not leave behind: a directory and servers in it. strike() is right
 * at any moment, while servers are starting too, and more than once.
 */
export class Stage {
  readonly directory: string;
  readonly #endings: (() => Promise<void>)[] = [];
  readonly #servers: Promise<AsyncDisposable>[] = [];
  #struck: Promise<void> | undefined;

  constructor(options: StageOptions) {
    this.directory = mkdtempSync(join(options.parent ?? tmpdir(), options.prefix));
    // Servers that root starts run as another user, who must get to their directories.
    chmodSync(this.directory, 0o755);
  }

  get struck(): boolean {
    return this.#struck !== undefined;
  }

  /** A PostgreSQL server with its data in the stage's directory. */
  async server(options: Omit<PostgresOptions, "parent"> = {}): Promise<PostgresServer> {
    if (this.struck) throw new Error("The stage has been struck.");
    const starting = startPostgres({ ...options, parent: this.directory });
    this.#servers.push(starting);
    return await starting;
  }

  /** A MySQL or MariaDB server with its data in the stage's directory. */
  async mysqlServer(options: Omit<MysqlOptions, "parent">): Promise<MysqlServer> {
    if (this.struck) throw new Error("The stage has been struck.");
    const starting = startMysql({ ...options, parent: this.directory });
    this.#servers.push(starting);
    return await starting;
  }

  /** Something to be ended before the servers are. */
  defer(ending: () => Promise<void>): void {
    this.#endings.push(ending);
  }

  /** Ends the servers and removes every file. */
  strike(): Promise<void> {
    this.#struck ??= this.#strike();
    return this.#struck;
  }

  async #strike(): Promise<void> {
    await Promise.allSettled(this.#endings.map((ending) => ending()));
    for (const started of await Promise.allSettled(this.#servers)) {
      if (started.status === "fulfilled") await started.value[Symbol.asyncDispose]();
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
