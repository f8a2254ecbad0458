import { readFileSync } from "node:fs";

/** Highest resident memory of a process so far, in MB (proc(5), VmHWM); 0 once it has ended. */
export function peakMemory(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) / 1024;
}
