import { duration } from "../../src/cli/human.ts";
import { carryOut } from "../../test/support/program-options.ts";
import { HELP, readCommandLine, type ValidationSoakOptions } from "./options.ts";
import { soakPair } from "./run.ts";

/*
 * npm run soak:validation: --help says what it does and how.
 */

async function run(options: ValidationSoakOptions, signal: AbortSignal): Promise<number> {
  const startedMs = performance.now();
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const problems: string[] = [];
  for (const pair of options.pairs) problems.push(...(await soakPair(pair, { options, say, signal })));
  for (const problem of problems) say(`PROBLEM: ${problem}`);
  const time = duration((performance.now() - startedMs) / 1000);
  say(
    problems.length > 0
      ? `FAILED after ${time}`
      : `All holds: what was planted, and nothing else, after ${time}`,
  );
  return problems.length > 0 ? 1 : 0;
}

async function untilInterrupted(options: ValidationSoakOptions): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => interrupted.abort(new Error(`It was ended by ${signal}.`)));
  }
  try {
    return await run(options, interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.stdout.write("ended; servers and data are removed\n");
    return 130;
  }
}

// What Node says about its experimental parts would stand in the middle of the lines.
process.removeAllListeners("warning");
const command = readCommandLine(process.argv.slice(2));
process.exit(await carryOut(command, { name: "npm run soak:validation", help: HELP, run: untilInterrupted }));
