import { spawnSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly loadAtStart: number;
  readonly commit: string;
  readonly disk: DiskSpeed;
}

export interface DiskSpeed {
  readonly sequentialMbPerS: number;
  /** Of one 8 kB write made durable, as a commit is. */
  readonly syncMs: number;
  readonly freeGb: number;
}

export function describeMachine(directory: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "?",
    cores: processors.length,
    memoryGb: round(totalmem() / 1e9),
    system: `${distribution()}, Linux ${release()}, ${arch()}`,
    node: process.version,
    loadAtStart: round(loadavg()[0] ?? 0),
    commit: commit(),
    disk: measureDisk(directory),
  };
}

export function machineLine({ cpu, cores, memoryGb, system, node, disk }: Machine): string {
  return (
    `${cores} cores (${cpu}), ${memoryGb} GB, ${system}, Node ${node}; where the data lies: ` +
    `${disk.sequentialMbPerS} MB/s, ${disk.syncMs} ms a sync, ${disk.freeGb} GB free`
  );
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "?";
  } catch {
    return "?";
  }
}

/** Of the clone, with a plus when files differ from it. */
function commit(): string {
  const git = (...args: string[]): string =>
    spawnSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).stdout ?? "";
  return `${git("rev-parse", "--short", "HEAD").trim()}${git("status", "--porcelain").trim() === "" ? "" : "+"}`;
}

function measureDisk(directory: string): DiskSpeed {
  const path = join(directory, "disk-speed");
  const block = Buffer.alloc(1 << 20, "tideway");
  const file = openSync(path, "w");
  try {
    const begunMs = performance.now();
    for (let written = 0; written < 256; written++) writeSync(file, block);
    fdatasyncSync(file);
    const sequentialMs = performance.now() - begunMs;
    const page = block.subarray(0, 8192);
    const syncedMs = performance.now();
    for (let written = 0; written < 50; written++) {
      writeSync(file, page, 0, page.length, written * page.length);
      fdatasyncSync(file);
    }
    const { bavail, bsize } = statfsSync(directory);
    return {
      sequentialMbPerS: Math.round((256 * 1.048576) / (sequentialMs / 1000)),
      syncMs: round((performance.now() - syncedMs) / 50),
      freeGb: Math.round((bavail * bsize) / 1e9),
    };
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
