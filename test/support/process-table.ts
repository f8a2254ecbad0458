import { readdirSync, readFileSync } from "node:fs";

/** What Linux tells of processes in /proc: CPU time, memory, children. */

/** Clock ticks of /proc/<pid>/stat in a second: 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface ProcessStat {
  readonly parent: number;
  /** User and system time of the process itself, in seconds. */
  readonly ownS: number;
  /** The same of its children that have ended and been waited for, and of theirs. */
  readonly endedChildrenS: number;
}

/** The command's name stands between parentheses and may hold any character, parentheses too. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = (index: number): number => Number(fields[index]) / TICKS;
  return {
    parent: Number(fields[1]),
    ownS: ticks(11) + ticks(12),
    endedChildrenS: ticks(13) + ticks(14),
  };
}

/** Bytes of a `kB` line of /proc/<pid>/status; 0 when there is none, as of a process that is ending. */
export function parseStatusBytes(text: string, name: "VmRSS" | "VmHWM"): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
  return line === null ? 0 : Number(line[1]) * 1024;
}

/** Seconds that all CPUs together were busy, and that the hypervisor gave to others, since the start. */
export function parseMachineCpu(text: string): { readonly busyS: number; readonly stolenS: number } {
  const line = /^cpu +(.*)$/m.exec(text)?.[1] ?? "";
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(" ").map(Number);
  return { busyS: (user + nice + system + irq + softirq) / TICKS, stolenS: steal / TICKS };
}

/** undefined when the process is gone. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProcess(pid, "stat");
  return text === undefined ? undefined : parseStat(text);
}

export function machineCpu(): { readonly busyS: number; readonly stolenS: number } {
  return parseMachineCpu(readFileSync("/proc/stat", "latin1"));
}

export function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

export function descendantsOf(pid: number): readonly number[] {
  const found: number[] = [];
  const waiting = [...childrenOf(pid)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next);
    waiting.push(...childrenOf(next));
  }
  return found;
}

export function readMemory(pid: number): { readonly residentBytes: number; readonly peakBytes: number } {
  const text = readProcess(pid, "status") ?? "";
  return { residentBytes: parseStatusBytes(text, "VmRSS"), peakBytes: parseStatusBytes(text, "VmHWM") };
}

/**
 * CPU seconds of a process and all it has started, children that ended included. Exact to a tick: read
 * again when a child ended meanwhile, for it would count twice or not at all.
 */
export function treeCpuS(pid: number): number {
  for (let attempt = 1; ; attempt++) {
    const before = descendantsOf(pid);
    const stats = [...before, pid].map(readStat);
    const after = new Set(descendantsOf(pid));
    if (attempt < 10 && (stats.includes(undefined) || before.some((child) => !after.has(child)))) continue;
    return stats.reduce((sum, stat) => sum + (stat === undefined ? 0 : stat.ownS + stat.endedChildrenS), 0);
  }
}

function readProcess(pid: number, file: "stat" | "status"): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return undefined;
  }
}
