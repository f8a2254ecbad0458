import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Failpoint } from "../../src/base/failpoint.ts";

/** Where a process is to kill itself: at the first arrival there, or at a later one. */
export type Arming = Failpoint | `${Failpoint}:${number}`;

/** One that does not come to its end, or to where it is to be killed, gets SIGTERM after so long. */
const PATIENCE_MS = 240_000;

/** Starts a module of this folder as a process of its own, with a channel. */
export function forkKillable(module: string, args: readonly string[], arming?: Arming): ChildProcess {
  return fork(join(import.meta.dirname, module), [...args], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    timeout: PATIENCE_MS,
    ...(arming === undefined ? {} : { env: { ...process.env, TIDEWAY_FAILPOINT: arming } }),
  });
}
