import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { installedVersions } from "../test/support/postgres-server.ts";
import { Stage } from "../test/support/stage.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { type BenchOptions, readCommandLine } from "./options.ts";
import { PeerTools } from "./peer-tools.ts";
import type { Context, Profile } from "./profile.ts";
import { profiles, selectProfiles } from "./profiles.ts";
import { Progress } from "./progress.ts";
import { type Measured, report } from "./report.ts";
import { problemsOf } from "./result.ts";
import { resultFile, writeResults } from "./result-file.ts";
import { runProfile } from "./runner.ts";
import { describeTarget } from "./target.ts";
import { HELP, listText } from "./usage.ts";

/*
 * npm run bench: see usage.ts for what it does and --help for how.
 */

const MEMORY = "/dev/shm";
const PREFIX = "tideway-bench-";

interface Session {
  readonly options: BenchOptions;
  readonly tools: PeerTools;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** All stages of this session: what is on them is removed whatever happens. */
  readonly stages: Stage[];
}

async function measureAll(session: Session): Promise<readonly Measured[]> {
  const { options, progress } = session;
  const jobs = options.profiles.flatMap((profile) => options.scales.map((scale) => ({ profile, scale })));
  const measured: Measured[] = [];
  for (const { profile, scale } of jobs) {
    progress.begin(profile, scale);
    measured.push(await measureOne(profile, scale, session));
    progress.end();
  }
  return measured;
}

/** Servers of its own for every profile and size, so that none inherits anything. */
async function measureOne(profile: Profile, scale: number, session: Session): Promise<Measured> {
  const { options, tools, progress, signal } = session;
  const stage = new Stage({ prefix: PREFIX, ...(options.memory ? { parent: MEMORY } : {}) });
  session.stages.push(stage);
  try {
    const serverVersion = options.serverVersion ?? profile.serverVersion;
    const rounds = profile.warmUps + options.pairs;
    const base = { stage, scale, serverVersion, rounds, tools };
    const context: Context = {
      ...base,
      contenders: contendersOf(profile, options, { ...base, contenders: [] }),
    };
    const { pairs, memory } = options;
    const result = await runProfile(profile, context, {
      ...{ pairs, memory, signal },
      say: (line) => progress.say(line),
      done: (runs, of) => progress.done(runs, of),
    });
    return { profile, result };
  } finally {
    await stage.strike();
  }
}

function contendersOf(profile: Profile, { peers }: BenchOptions, context: Context): readonly string[] {
  return profile.contenders
    .filter(({ name }, index) => index === 0 || peers === undefined || peers.includes(name))
    .filter((entry) => entry.missing(context) === undefined)
    .map(({ name }) => name);
}

async function run(options: BenchOptions, session: Pick<Session, "signal" | "stages">): Promise<number> {
  const startedMs = Date.now();
  const tools = PeerTools.find(say);
  for (const line of tools.missing) say(`missing: ${line}`);
  const machine = describeMachine(options.memory ? MEMORY : tmpdir());
  say(machineLine(machine));
  const progress = new Progress(options, say);
  const measured = await measureAll({ ...session, options, tools, progress });
  const file = options.json ?? resultFile(options, startedMs);
  say(`\n${report(measured)}`);
  await writeResults(file, { options, startedMs, machine, tools: tools.versions(), measured });
  say(`results: ${file}`);
  return measured.some(({ result }) => problemsOf(result).length > 0) ? 1 : 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const choice = { all: profiles, select: selectProfiles, serverVersions: installedVersions() };
  const command = readCommandLine(process.argv.slice(2), choice);
  if (command.kind === "help") say(HELP);
  if (command.kind === "list") say(listText(profiles, ({ targets }) => targets.map(describeTarget)));
  if (command.kind === "refused") {
    process.stderr.write(`${command.reason}\nnpm run bench -- --help says more.\n`);
    return 2;
  }
  if (command.kind !== "run") return 0;
  if (command.options.memory && !existsSync(MEMORY)) {
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
    return await run(command.options, { signal: cancel.signal, stages });
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
