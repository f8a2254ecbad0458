/**
 * Places where tests kill the process as a power cut would. TIDEWAY_FAILPOINT="name" or "name:n"
 * makes the n-th arrival at that place the last thing this process does. Without the variable it
 * costs one comparison.
 */
const [armed, arrivals = "1"] = (process.env.TIDEWAY_FAILPOINT ?? "").split(":");
let left = Number(arrivals);

export type Failpoint =
  | "task.prepared"
  | "task.snapshot-open"
  | "load.partition-read"
  | "load.partition-written"
  | "load.partition-done"
  | "load.table-loaded"
  | "build.step-done"
  | "build.constraints-done"
  | "task.load-finished"
  | "apply.batch-taken"
  | "apply.committed"
  | "apply.durable"
  | "task.drained";

export function failpoint(name: Failpoint): void {
  if (armed === name && --left === 0) process.kill(process.pid, "SIGKILL");
}
