import { statfs } from "node:fs/promises";
import type { TableId } from "../src/core/schema.ts";
import { type Fault, hold, seconds, untilStill } from "./fault.ts";
import { isAlive } from "./service.ts";

/** Faults of Tideway's own processes and their disk, and what is asked of them. */

/** Loaded again while they change; some refer to each other. */
const RELOADED: readonly TableId[] = [
  { schema: "shop", name: "orders" },
  { schema: "shop", name: "products" },
  { schema: "shop", name: "reviews" },
  { schema: "audit", name: "events" },
  { schema: "soak", name: "keyless" },
  { schema: "soak", name: "documents" },
  { schema: "soak", name: "emptied" },
  { schema: "soak", name: "grown" },
  { schema: "soak", name: "still" },
];

export const killWorker: Fault = async ({ world: { service } }) => {
  const killed = await service.worker();
  process.kill(killed, "SIGKILL");
  return `worker ${killed} killed, now ${await service.worker(killed)}`;
};

/** Tables here are loaded again in less than this. */
const RELOAD_MS = 400;

export const killInReload: Fault = async ({ world: { service, migration }, random }) => {
  const table = random.pick(RELOADED);
  await migration.askReload(table);
  const killed = await service.worker();
  const afterMs = Math.round(random.next() * RELOAD_MS);
  await hold(afterMs);
  process.kill(killed, "SIGKILL");
  const now = await service.worker(killed);
  return `worker ${killed} killed ${afterMs} ms after ${table.schema}.${table.name} was to be reloaded, now ${now}`;
};

/** As a machine that is suspended. */
export const freezeWorker: Fault = async ({ world, holdMs }) => {
  const worker = await world.service.worker();
  process.kill(worker, "SIGSTOP");
  try {
    await untilStill(world, holdMs);
  } finally {
    if (isAlive(worker)) process.kill(worker, "SIGCONT");
  }
  return `worker ${worker} stood still for ${seconds(holdMs)}`;
};

export const killService: Fault = async ({ world: { service } }) => {
  const { pid, workers } = service;
  await service.kill();
  await service.start();
  return `server ${pid} killed, its workers (${workers.join(", ")}) ended, now ${service.pid}`;
};

export const stopService: Fault = async ({ world: { service } }) => {
  const { pid } = service;
  await service.stop();
  await service.start();
  return `server ${pid} ended in order, now ${service.pid}`;
};

export const stopTask: Fault = async ({ world: { migration } }) => {
  await migration.stop();
  await migration.resume();
  return "stopped, resumed";
};

export const reloadTable: Fault = async ({ world: { migration }, random }) => {
  const table = random.pick(RELOADED);
  const beganMs = performance.now();
  await migration.reload(table);
  return `${table.schema}.${table.name} loaded again in ${seconds(performance.now() - beganMs)}`;
};

export const fillDisk: Fault = async ({ world: { disk }, holdMs }) => {
  if (disk === undefined) throw new Error("no file system was mounted that could be filled");
  await disk.fill();
  try {
    const { bavail } = await statfs(disk.directory);
    if (bavail !== 0) throw new Error(`${bavail} blocks are free on the full disk`);
    await hold(holdMs);
  } finally {
    await disk.free();
  }
  return `no space for ${seconds(holdMs)}`;
};
