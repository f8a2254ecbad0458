import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { CommandLine } from "../test/support/command-line.ts";
import { dmsClient } from "../test/support/dms-client.ts";
import { eventually } from "../test/support/eventually.ts";
import { childrenOf, readMemory } from "../test/support/process-table.ts";
import { freePort } from "../test/support/server-process.ts";

export interface ServiceOptions {
  readonly dataDir: string;
  /** Where it may write temporary files. */
  readonly temporaryDir: string;
  /** Where Node keeps what it has compiled. */
  readonly cacheDir: string;
  /** Takes what all its processes log. */
  readonly logFile: string;
}

/** `tideway serve` as users start it: a process that starts others, killed and started again. */
export class Service implements AsyncDisposable {
  /** The same for every process. */
  readonly port: number;
  readonly #options: ServiceOptions;
  #process: CommandLine | undefined;
  #client: DatabaseMigrationServiceClient | undefined;

  private constructor(options: ServiceOptions, port: number) {
    this.#options = options;
    this.port = port;
  }

  static async start(options: ServiceOptions): Promise<Service> {
    const service = new Service(options, await freePort());
    await service.start();
    return service;
  }

  /** undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Processes of replication instances. */
  get workers(): readonly number[] {
    const pid = this.pid;
    return pid === undefined ? [] : childrenOf(pid);
  }

  /** Resolves with the process of the one replication instance. */
  async worker(other?: number): Promise<number> {
    return await eventually("a worker process", async () => this.workers.find((pid) => pid !== other));
  }

  async start(): Promise<void> {
    const { dataDir, temporaryDir, cacheDir, logFile } = this.#options;
    const stderr = openSync(logFile, "a");
    const args = ["serve", "--port", String(this.port), "--data-dir", dataDir];
    const env = { TMPDIR: temporaryDir, NODE_COMPILE_CACHE: cacheDir };
    const started = new CommandLine(args, { stderr, env });
    closeSync(stderr);
    this.#process = started;
    await started.line((line) => line.startsWith("Tideway serves"));
  }

  /** AWS's own client; one for all processes, because address and key stay. */
  async client(): Promise<DatabaseMigrationServiceClient> {
    this.#client ??= await dmsClient({
      address: `http://127.0.0.1:${this.port}`,
      credentialsFile: join(this.#options.dataDir, "credentials"),
    });
    return this.#client;
  }

  /** SIGKILL. Resolves when neither it nor a process that it has started is there. */
  async kill(): Promise<void> {
    const { workers } = this;
    await this.#end("SIGKILL");
    await eventually("workers to end with their server", async () => !workers.some(isAlive));
  }

  /** As Ctrl-C ends it. Throws when it does not end in order. */
  async stop(): Promise<void> {
    const { workers } = this;
    const code = await this.#end("SIGTERM");
    if (code !== 0) throw new Error(`tideway serve ended with ${code} when it was told to end`);
    if (workers.some(isAlive)) throw new Error("a worker process outlives its server");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.destroy();
    if (this.#process !== undefined) await this.kill();
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const ending = this.#process!;
    this.#process = undefined;
    ending.kill(signal);
    return (await ending.result).code;
  }
}

/** A process that has ended holds no memory, also when nobody has asked yet how it ended. */
export function isAlive(pid: number): boolean {
  return readMemory(pid).residentBytes > 0;
}
