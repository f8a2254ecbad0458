import { spawn } from "node:child_process";
import { once } from "node:events";
import { PATIENCE_S } from "./eventually.ts";

/** Runs a module to its end as a process of its own, with all that it writes. */
export async function runProgram(
  module: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [module, ...args], {
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
