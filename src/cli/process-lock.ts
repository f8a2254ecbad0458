import { open, readFile, rename, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { MigrationError } from "../core/error.ts";

/**
 * A file that is this process's alone until it is removed. It names its holder, so that one left by a crash can be told from one in use.
 * `inUse`: what is thrown while another process has it.
 */
export async function takeLock(path: string, inUse: (pid: number) => MigrationError): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await using file = await open(path, "wx", 0o600);
      await file.writeFile(await processMark(process.pid));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === 3) throw error;
    }
    const holder = await holderOf(path);
    const pid = Number.parseInt(holder, 10);
    if (holder !== "" && isAlive(pid) && (await processMark(pid)) === holder) throw inUse(pid);
    await discard(path, holder);
  }
}

const READS = 20;
const BETWEEN_READS_MS = 50;

/** Empty for nobody. A file that is empty for a moment has just been made, and its holder is about to be written. */
async function holderOf(path: string): Promise<string> {
  for (let reads = 1; ; reads++) {
    const holder = await readFile(path, "utf8").catch(() => undefined);
    if (holder !== "" || reads === READS) return holder ?? "";
    await pause(BETWEEN_READS_MS);
  }
}

/** Removes what a crash has left, but not what another start may have put in its place since it was read. */
async function discard(path: string, left: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) === left) await rm(aside);
    else await rename(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Process id and, where the system tells, its start time: ids are used again. */
async function processMark(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return `${pid} ${started}`;
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
