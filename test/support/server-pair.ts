import { after } from "node:test";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";

export interface ServerPair {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
}

/** Two servers for all tests of a file, removed after them. */
export async function serverPair(): Promise<ServerPair> {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  after(async () => {
    await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
  });
  return { source, target };
}
