import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const MEMORY = "/dev/shm";
/** In bytes: what servers of all lanes keep at once, several times over. */
const ROOM = 8 * 2 ** 30;
/** In bytes: beside that, for the servers themselves. */
const AVAILABLE = ROOM + 4 * 2 ** 30;

/**
 * Where the servers of tests keep their files: in memory where that is large, as making and removing hundreds of
 * servers is a good part of what a disk is asked for. Whoever sets TMPDIR has it there.
 */
export function temporaryRoot(): string {
  return process.env["TMPDIR"] === undefined && isRoomy() ? MEMORY : tmpdir();
}

function isRoomy(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM && availableMemory() >= AVAILABLE && isExecutable();
  } catch {
    // Not the system that it is on.
    return false;
  }
}

function availableMemory(): number {
  const [, kilobytes = "0"] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** Tests run programs that they install. */
function isExecutable(): boolean {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const found = mounts.map((line) => line.split(" ")).find(([, path]) => path === MEMORY);
  const [, , type, options = ""] = found ?? [];
  return type === "tmpfs" && !options.split(",").includes("noexec");
}
