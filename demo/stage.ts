import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../test/support/postgres-server.ts";

/**
 * What the demo sets up and must not leave behind: a directory and two servers in it. strike() is
 * right at any moment, while servers are starting too, and more than once.
 */
export class Stage {
  readonly directory: string;
  readonly #endings: (() => Promise<void>)[] = [];
  readonly #servers: Promise<PostgresServer>[] = [];
  #struck: Promise<void> | undefined;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "tideway-demo-"));
    // Servers that root starts run as another user, who must get to their directories.
    chmodSync(this.directory, 0o755);
  }

  /** A PostgreSQL server with its data in the demo's directory. */
  async server(): Promise<PostgresServer> {
    if (this.#struck !== undefined) throw new Error("The demo is over.");
    const starting = startPostgres({ parent: this.directory });
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
