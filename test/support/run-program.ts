import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { PATIENCE_S } from "./eventually.ts";

export interface Ended {
  /** null for one that was killed, or took too long. */
  readonly code: number | null;
  /** All that it wrote to stdout and stderr. */
  readonly output: string;
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env"> = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_S * 1000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

/** Runs a module to its end as a process of its own. */
export function runModule(module: string, args: readonly string[]): Promise<Ended> {
  return runProgram(process.execPath, [module, ...args]);
}
