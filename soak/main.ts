import { appendFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duration } from "../src/cli/human.ts";
import { carryOut } from "../test/support/program-options.ts";
import { Stage } from "../test/support/stage.ts";
import { HELP, readCommandLine, type SoakOptions } from "./options.ts";
import { soak } from "./run.ts";

/*
 * npm run soak: --help says what it does and how.
 */

async function run(options: SoakOptions, stage: Stage): Promise<number> {
  const logDir = await mkdtemp(join(tmpdir(), "tideway-soak-logs-"));
  const log = join(logDir, "soak.log");
  const startedMs = performance.now();
  const say = (line: string): void => {
    appendFileSync(log, `${new Date().toISOString()} ${line}\n`);
    process.stdout.write(`${line}\n`);
  };
  let problems: readonly string[];
  try {
    problems = await soak({ options, stage, logDir, say });
  } catch (error) {
    // Servers that are taken away make everything fail; that is no news.
    if (stage.struck) return 1;
    problems = [`not at its end: ${error instanceof Error ? error.stack : error}`];
  }
  for (const problem of problems) say(`PROBLEM: ${problem}`);
  const time = duration((performance.now() - startedMs) / 1000);
  if (problems.length > 0) {
    say(`FAILED after ${time}, seed ${options.seed}; logs are in ${logDir}`);
    return 1;
  }
  say(`All holds: equal, flat and nothing left, after ${time}, seed ${options.seed}`);
  await rm(logDir, { recursive: true });
  return 0;
}

async function onStage(options: SoakOptions): Promise<number> {
  const stage = new Stage({ prefix: "tideway-soak-" });
  const end = (code: number) => (): void => {
    if (!stage.struck) process.stdout.write("\nending; removing servers and data ...\n");
    void stage.strike().finally(() => process.exit(code));
  };
  process.once("SIGINT", end(130)).once("SIGTERM", end(143)).once("SIGHUP", end(129));
  process.stdout.once("error", end(141));
  try {
    return await run(options, stage);
  } finally {
    await stage.strike();
  }
}

// What Node says about its experimental parts would stand in the middle of the lines.
process.removeAllListeners("warning");
const command = readCommandLine(process.argv.slice(2), Math.floor(Math.random() * 2 ** 32));
const code = await carryOut(command, { name: "npm run soak", help: HELP, run: onStage });
// After a failure, a fault may still wait for what will not come.
process.exit(code);
