import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Stage } from "../test/support/stage.ts";
import { PeakMemory } from "./peak-memory.ts";
import type { ToolUsage } from "./profile.ts";

export interface Command {
  /** For bash, with pipefail: a pipeline fails when one of its programs does. */
  readonly script: string;
  /** Variables of the script, so that nothing needs quoting. */
  readonly variables: Readonly<Record<string, string>>;
}

const SHOWN_LINES = 12;
const END_MS = 3000;
let commands = 0;

/**
 * Runs a command to its end and tells what all its processes used. The shell around it says by `times`
 * what its children took, which holds whatever they started and waited for, to the millisecond.
 */
export async function runCommand(command: Command, stage: Stage): Promise<ToolUsage> {
  const log = join(stage.directory, `command-${++commands}.log`);
  const output = openSync(log, "w");
  const script = `set -o pipefail\n${command.script}\ncode=$?\ntimes >&3\nexit $code`;
  const child = spawn("bash", ["-c", script], {
    env: { ...process.env, NO_COLOR: "1", ...command.variables },
    stdio: ["ignore", output, output, "pipe"],
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  closeSync(output);
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const pid = child.pid;
  if (pid === undefined) throw new Error("bash does not start.");
  stage.defer(() => endGroup(pid, ended));
  let times = "";
  child.stdio[3]!.on("data", (text) => {
    times += String(text);
  });
  const memory = PeakMemory.ofDescendants(pid);
  const [code, signal] = await ended;
  const peakBytes = memory.stop();
  if (code !== 0) throw new Error(failure(signal ?? `exit code ${code}`, readFileSync(log, "utf8")));
  rmSync(log);
  return { cpuS: parseChildTimes(times), peakBytes };
}

/** The second line of `times`: user and system time of the shell's children, as "0m1.234s 0m0.456s". */
export function parseChildTimes(text: string): number {
  const line = text.trim().split("\n")[1] ?? "";
  const parts = [...line.matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) throw new Error(`The shell's times are not understood: ${text}`);
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

function failure(how: string, output: string): string {
  return `ended with ${how}: ${output.trim().split("\n").slice(-SHOWN_LINES).join("\n")}`;
}

/** In order first: pgcopydb, for one, has semaphores to remove. */
async function endGroup(pid: number, ended: Promise<unknown>): Promise<void> {
  const signal = (name: "SIGTERM" | "SIGKILL"): boolean => {
    try {
      return process.kill(-pid, name);
    } catch {
      return false;
    }
  };
  if (!signal("SIGTERM")) return;
  const timer = setTimeout(() => signal("SIGKILL"), END_MS);
  await ended;
  clearTimeout(timer);
}
