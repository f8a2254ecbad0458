import type { AddressInfo } from "node:net";
import { isIP } from "node:net";
import { resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { type Service, Turns } from "../api/service.ts";
import type { EngineRegistry } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import { EventDelivery } from "../notify/delivery.ts";
import { isTopicArn, openTopics, type TopicOptions } from "../notify/topics.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Log } from "../task/log.ts";
import { Supervisor } from "../task/supervisor.ts";
import { loadAccessKey, writeCredentials } from "./access-key.ts";
import { httpServer } from "./http.ts";
import { restore } from "./restore.ts";

/** Tideway is one account; twelve digits as in every ARN. */
const ACCOUNT = "000000000000";

export interface ServerOptions {
  /** The address to listen on; anything but loopback is warned about. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Made when it is not there. One server at a time. */
  readonly dataDir: string;
  readonly registry: EngineRegistry;
  /** Main module of the worker processes: worker.ts in a clone, worker.js in the package. */
  readonly workerPath: string;
  readonly log: Log;
  /** Where events are delivered to; left out: nowhere. */
  readonly topics?: TopicOptions;
}

export interface RunningServer {
  /** Where the API answers: http://127.0.0.1:8367 */
  readonly address: string;
  /** Holds the access key, in the form of AWS's shared credentials file. */
  readonly credentialsFile: string;
  /** Whether the access key was made by this start. */
  readonly firstStart: boolean;
  /** For diagnosis: the process id of an instance's worker. */
  workerPid(instanceArn: string): number | undefined;
  /** Stops listening and ends the workers; running tasks resume at the next start. */
  close(): Promise<void>;
}

/**
 * Starts the service on a data directory. Throws `server.data_dir`, `server.secret_key`,
 * `server.address_in_use` and, for topics that cannot be meant, `usage.invalid`; then nothing is left running.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, port, registry, workerPath, log } = options;
  const dataDir = resolve(options.dataDir);
  const findTopic = options.topics === undefined ? () => undefined : openTopics(options.topics);
  await using undo = new AsyncDisposableStack();
  const store = undo.use(openSqliteStore(dataDir));
  const key = await loadAccessKey(store);
  const supervisor = new Supervisor({ store, workerPath, log });
  undo.defer(() => supervisor.close());
  const delivery = new EventDelivery({ store, ledger: supervisor.ledger, findTopic, log });
  undo.defer(() => delivery.close());
  const service: Service = {
    store,
    supervisor,
    engines: registry,
    log,
    account: ACCOUNT,
    topics: {
      state: (arn) => (isTopicArn(arn) ? (findTopic(arn) ? "known" : "unknown") : "malformed"),
      retry: (arn) => delivery.retry(arn),
    },
    turns: new Turns(),
  };
  const secretOf = (id: string): string | undefined => (id === key.id ? key.secret : undefined);
  const http = httpServer({ service, secretOf });
  undo.defer(() => http.close());
  // Requests that change something wait until all that an earlier server left is taken up.
  await service.turns.take(async () => {
    await listen(http, host, port);
    await restore(service);
  });
  const address = addressOf(http);
  const credentialsFile = writeCredentials(dataDir, key, address);
  delivery.start();
  if (!isLoopback(host)) {
    log("warn", "listening beyond this machine without TLS", { host });
  }
  log("info", "server started", { address, dataDir });
  const running = undo.move();
  return {
    address,
    credentialsFile,
    firstStart: key.created,
    workerPid: (arn) => supervisor.workerPid(arn),
    close: () => running.disposeAsync(),
  };
}

const OTHER_HOST = "Give an address of this machine with --host, such as 127.0.0.1, or 0.0.0.0 for all.";

/** By the system's error code; without a remedy where the error's own is exact. */
const listenFailures: ReadonlyMap<string, { readonly text: string; readonly remedy?: string }> = new Map([
  ["EADDRINUSE", { text: "is taken by another process" }],
  ["EACCES", { text: "needs privileges that this user lacks", remedy: "Choose a --port above 1023." }],
  ["EADDRNOTAVAIL", { text: "is not an address of this machine", remedy: OTHER_HOST }],
  ["ENOTFOUND", { text: "has a host that cannot be found", remedy: OTHER_HOST }],
  ["EAI_AGAIN", { text: "has a host that cannot be found", remedy: OTHER_HOST }],
]);

async function listen(http: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    const reason = listenFailures.get((error as NodeJS.ErrnoException).code ?? "");
    if (reason === undefined) throw error;
    throw new MigrationError("server.address_in_use", {
      message: `The address ${host}:${port} ${reason.text}.`,
      subject: `${host}:${port}`,
      ...(reason.remedy !== undefined && { remedy: reason.remedy }),
    });
  }
}

function addressOf(http: FastifyInstance): string {
  const { address, port } = http.server.address() as AddressInfo;
  // A server that listens everywhere is reached from here by loopback.
  const reachable = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `http://${isIP(reachable) === 6 ? `[${reachable}]` : reachable}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}
