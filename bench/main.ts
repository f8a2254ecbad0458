import { existsSync } from "node:fs";
import { findTools } from "../test/support/debian-tools.ts";
import { mariadbServer } from "../test/support/mysql-packages.ts";
import { carryOut } from "../test/support/program-options.ts";
import { installServers, SERVER_VERSIONS } from "../test/support/server-packages.ts";
import type { Stage } from "../test/support/stage.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { type BenchOptions, readCommandLine } from "./options.ts";
import { PeerTools, type ToolName } from "./peer-tools.ts";
import { profiles, selectProfiles } from "./profiles.ts";
import { Progress } from "./progress.ts";
import { report } from "./report.ts";
import { problemsOf } from "./result.ts";
import { resultFile, writeResults } from "./result-file.ts";
import { MEMORY, measureAll, placeOf, type Session } from "./session.ts";
import { describeTarget } from "./target.ts";
import { HELP, listText } from "./usage.ts";

/*
 * npm run bench: see usage.ts for what it does and --help for how.
 */

async function run(options: BenchOptions, session: Pick<Session, "signal" | "stages">): Promise<number> {
  const startedMs = Date.now();
  const tools = PeerTools.find(neededTools(options), say);
  for (const line of [...tools.missing, ...missingServers(options)]) say(`missing: ${line}`);
  const machine = describeMachine(placeOf(options));
  say(machineLine(machine));
  const file = options.json ?? resultFile(options, startedMs);
  const progress = new Progress(options, say);
  const { measured, failures } = await measureAll({
    ...session,
    ...{ options, tools, progress },
    keep: (so) => writeResults(file, { options, startedMs, machine, tools: tools.versions(), ...so }),
  });
  say(`\n${report(measured)}`);
  for (const failure of failures) say(`NOT MEASURED: ${failure}`);
  say(`results: ${file}`);
  return failures.length > 0 || measured.some(({ result }) => problemsOf(result).length > 0) ? 1 : 0;
}

/** psql is always among them: it tells how large the data is. */
function neededTools({ profiles: chosen, peers }: BenchOptions): ReadonlySet<ToolName> {
  const contenders = chosen.flatMap((profile) =>
    profile.contenders.filter(
      ({ name }, index) => index === 0 || peers === undefined || peers.includes(name),
    ),
  );
  return new Set(["psql", ...contenders.flatMap(({ needs }) => needs)]);
}

/** Installs the servers; what could not be had, with the command that installs it. */
function missingServers(options: BenchOptions): readonly string[] {
  const postgres = installServers(neededServers(options), say);
  const mariadb = options.profiles.some((profile) => profile.mariadb)
    ? findTools([mariadbServer], say).missing
    : [];
  return [...(postgres === undefined ? [] : [postgres]), ...mariadb];
}

function neededServers({ profiles: chosen, serverVersion }: BenchOptions): readonly number[] {
  return serverVersion === undefined ? chosen.map((profile) => profile.serverVersion) : [serverVersion];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const choice = { all: profiles, select: selectProfiles, serverVersions: SERVER_VERSIONS };
  const command = readCommandLine(process.argv.slice(2), choice);
  if (command.kind === "list") {
    say(listText(profiles, ({ targets }) => targets.map(describeTarget)));
    return 0;
  }
  return await carryOut(command, { name: "npm run bench", help: HELP, run: untilCancelled });
}

async function untilCancelled(options: BenchOptions): Promise<number> {
  if (options.memory && !existsSync(MEMORY)) {
    process.stderr.write(`--memory needs ${MEMORY}, which is not here.\n`);
    return 2;
  }
  const cancel = new AbortController();
  const stages: Stage[] = [];
  const strikeAll = (): Promise<unknown> => Promise.allSettled(stages.map((stage) => stage.strike()));
  const end = (code: number) => (): void => {
    if (!cancel.signal.aborted) say("\nending; removing servers and data ...");
    cancel.abort();
    void strikeAll().finally(() => process.exit(code));
  };
  process.once("SIGINT", end(130)).once("SIGTERM", end(143)).once("SIGHUP", end(129));
  process.stdout.once("error", end(141));
  try {
    return await run(options, { signal: cancel.signal, stages });
  } catch (error) {
    // Servers that are taken away make everything else fail; that is no news.
    if (!cancel.signal.aborted) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    return 1;
  } finally {
    await strikeAll();
  }
}

// What Node says about its experimental parts would stand in the middle of the table.
process.removeAllListeners("warning");
process.exitCode = await main();
