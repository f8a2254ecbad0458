import { open, readFile, rm } from "node:fs/promises";
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
    const holder = await readFile(path, "utf8").catch(() => "");
    const pid = Number.parseInt(holder, 10);
    if (holder !== "" && isAlive(pid) && (await processMark(pid)) === holder) throw inUse(pid);
    await rm(path, { force: true });
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
