import { after } from "node:test";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";

export interface Servers<Source, Target> {
  readonly source: Source;
  readonly target: Target;
}

export type ServerPair = Servers<PostgresServer, PostgresServer>;

/** A server that is starting, for all tests of a file, removed after them. */
export async function serverOfFile<Server extends AsyncDisposable>(
  starting: Promise<Server>,
): Promise<Server> {
  const server = await starting;
  after(() => server[Symbol.asyncDispose]());
  return server;
}

/** Two servers that are starting, for all tests of a file, removed after them. */
export async function serversOfFile<Source extends AsyncDisposable, Target extends AsyncDisposable>(
  starting: Servers<Promise<Source>, Promise<Target>>,
): Promise<Servers<Source, Target>> {
  const [source, target] = await Promise.all([starting.source, starting.target]);
  after(async () => {
    await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
  });
  return { source, target };
}

export function serverPair(): Promise<ServerPair> {
  return serversOfFile({ source: startPostgres(), target: startPostgres() });
}
