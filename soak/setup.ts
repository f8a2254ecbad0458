import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SmallDisk } from "../test/support/small-disk.ts";
import type { Stage } from "../test/support/stage.ts";
import { TcpProxy } from "../test/support/tcp-proxy.ts";
import { filesBelow } from "./leftovers.ts";
import { Observer } from "./observer.ts";
import { Service, type ServiceOptions } from "./service.ts";
import type { Side, World } from "./world.ts";

const DATABASE = "shop";
/** Of the file system that holds the service's data directory. */
const DISK_SIZE = "32m";
/** Small, so that the source's sessions spill large transactions to its disk. */
const SOURCE_SETTINGS = { logical_decoding_work_mem: "1MB" };
/** Autovacuum is what removes temporary tables whose sessions a server has lost with itself. */
const BOTH_SETTINGS = { autovacuum_naptime: "10s" };

/** What there is before a task is made. */
export interface Ground extends Omit<World, "migration"> {
  readonly dataDir: string;
  /** Where the service may write temporary files. */
  readonly temporaryDir: string;
  /** What a service that has done nothing leaves in its data directory. */
  readonly freshFiles: readonly string[];
}

/** Servers, networks and a service, all ended with the stage. `logDir` takes what the service logs. */
export async function prepareGround(stage: Stage, logDir: string): Promise<Ground> {
  const [source, target] = await Promise.all([makeSide(stage, SOURCE_SETTINGS), makeSide(stage, {})]);
  const disk = await SmallDisk.mount(DISK_SIZE);
  if (disk !== undefined) stage.defer(() => disk[Symbol.asyncDispose]());
  const dataDir = join(disk?.directory ?? stage.directory, "data");
  const temporaryDir = join(stage.directory, "temporary");
  await mkdir(temporaryDir);
  const options = {
    ...{ dataDir, temporaryDir, cacheDir: join(stage.directory, "compiled") },
    logFile: join(logDir, "service.log"),
  };
  const freshFiles = await filesOfFresh({ ...options, dataDir: join(stage.directory, "fresh") });
  const service = await Service.start(options);
  stage.defer(() => service[Symbol.asyncDispose]());
  return { source, target, service, disk, dataDir, temporaryDir, freshFiles };
}

async function makeSide(stage: Stage, settings: Readonly<Record<string, string>>): Promise<Side> {
  const server = await stage.server({ settings: { ...BOTH_SETTINGS, ...settings } });
  await server.query(`create database ${DATABASE}`);
  const proxy = await TcpProxy.start(server.port);
  stage.defer(() => proxy[Symbol.asyncDispose]());
  const observer = new Observer(server, DATABASE);
  stage.defer(() => observer[Symbol.asyncDispose]());
  return { server, database: DATABASE, proxy, observer };
}

async function filesOfFresh(options: ServiceOptions): Promise<readonly string[]> {
  const service = await Service.start(options);
  await service.stop();
  return await filesBelow(options.dataDir);
}
