import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import type { TopicOptions } from "../../src/notify/topics.ts";
import { registry } from "../../src/server/engines.ts";
import { type RunningServer, startServer } from "../../src/server/main.ts";
import { dmsClient, readCredentials } from "./dms-client.ts";

export const realWorker = join(import.meta.dirname, "../../src/server/worker.ts");

/** Everything that was logged, one JSON text a line. */
export type LogLines = string[];

/** A Tideway server on a free port with a data directory of its own, and AWS's client for it. */
export class TidewayServer implements AsyncDisposable {
  readonly dataDir: string;
  readonly workerPath: string;
  /** Where events are delivered to, from the next start on. */
  topics: TopicOptions | undefined;
  readonly log: LogLines = [];
  readonly #clients: DatabaseMigrationServiceClient[] = [];
  #server: RunningServer | undefined;

  constructor(dataDir: string, workerPath: string) {
    this.dataDir = dataDir;
    this.workerPath = workerPath;
  }

  get server(): RunningServer {
    if (this.#server === undefined) throw new Error("the server is not running");
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await startServer({
      host: "127.0.0.1",
      port: 0,
      dataDir: this.dataDir,
      registry,
      workerPath: this.workerPath,
      ...(this.topics !== undefined && { topics: this.topics }),
      log: (level, message, fields) => this.log.push(JSON.stringify({ level, message, ...fields })),
    });
  }

  /** As Ctrl-C ends it; the data stays. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  credentials(): ReturnType<typeof readCredentials> {
    return readCredentials(this.server.credentialsFile);
  }

  /** AWS's own client with the server's key, for one region. */
  async client(region = "us-east-1"): Promise<DatabaseMigrationServiceClient> {
    const client = await dmsClient(this.server, region);
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** `workerPath` is for workers that misbehave. */
export async function startTideway(workerPath: string = realWorker): Promise<TidewayServer> {
  const server = new TidewayServer(await mkdtemp(join(tmpdir(), "tideway-data-")), workerPath);
  await server.start();
  return server;
}
