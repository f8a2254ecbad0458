import { count, duration } from "../src/cli/human.ts";
import { eventually } from "../test/support/eventually.ts";
import type { Stage } from "../test/support/stage.ts";
import { Application } from "./application.ts";
import { Disturbance } from "./disturbance.ts";
import { describeFlatness, type Flatness } from "./flatness.ts";
import { filesBelow, findLeft } from "./leftovers.ts";
import { Migration } from "./migration.ts";
import type { SoakOptions } from "./options.ts";
import { type Ground, prepareGround } from "./setup.ts";
import { compare } from "./verdict.ts";
import { Watch } from "./watch.ts";
import { beatOf, type World } from "./world.ts";

export interface SoakRun {
  readonly options: SoakOptions;
  readonly stage: Stage;
  /** Is there after the stage is struck. */
  readonly logDir: string;
  readonly say: (line: string) => void;
}

const PROGRESS_MS = 10_000;
const FULL_LOAD_S = 300;
/** What is left to be applied at the end may be much: a fault may just have happened. */
const CATCH_UP_S = 900;

/** Resolves with what does not hold; with nothing when all does. Throws when it cannot come to its end. */
export async function soak(run: SoakRun): Promise<readonly string[]> {
  const { options, stage, logDir, say } = run;
  say(`seed ${options.seed}: ${options.minutes} minutes, a fault every ${options.everyS} s`);
  const ground = await prepareGround(stage, logDir);
  if (ground.disk === undefined)
    say("no file system may be mounted here: the fault data-disk-full is left out");
  const { server, database } = ground.source;
  await using application = await Application.start({ server, database, ...options });
  const migration = await Migration.start(ground.service, ground.source, ground.target);
  const world: World = { ...ground, migration };
  await eventually("full load", async () => (await beatOf(world.target)) !== undefined, FULL_LOAD_S);
  say(`the task runs; ${options.rate} transactions a second`);
  await using watch = new Watch(world);
  const disturbance = new Disturbance(options, world, say);
  const startedMs = performance.now();
  const elapsedS = (): number => (performance.now() - startedMs) / 1000;
  const progress = (): void => {
    const leftS = Math.max(0, options.minutes * 60 - elapsedS());
    say(progressLine({ elapsedS: elapsedS(), leftS, faults: disturbance.count, application, watch }));
  };
  const ticker = setInterval(progress, PROGRESS_MS);
  const ending = new AbortController();
  try {
    const through = <T>(work: Promise<T>): Promise<T> =>
      Promise.race([work, watch.failed, application.ended.then(() => work)]);
    await through(disturbance.run(ending.signal));
    const lastBeat = await through(application.stop());
    say(`the application has stopped after ${count(application.statistics.commits)} transactions`);
    await through(caughtUp(world, lastBeat));
  } finally {
    ending.abort();
    clearInterval(ticker);
  }
  say(`the target has caught up; faults: ${disturbance.count}`);
  const different = await finish(world, say);
  const flat = watch.results();
  for (const result of flat) say(describeFlatness(result));
  await watch[Symbol.asyncDispose]();
  await migration.remove();
  say("deleted task, endpoints and instance");
  const left = [...(await findLeft(world)), ...(await filesLeft(ground))];
  say("looked for what is left");
  return [...disturbance.unseen, ...different, ...grown(flat), ...left];
}

async function caughtUp(world: World, lastBeat: number): Promise<void> {
  await eventually(
    "the target to catch up",
    async () => (await beatOf(world.target)) === lastBeat,
    CATCH_UP_S,
  );
}

/** Drains the task and compares. */
async function finish(world: World, say: (line: string) => void): Promise<readonly string[]> {
  const [{ position }] = await world.source.server.query("select pg_current_wal_lsn()::text as position");
  await world.migration.stop();
  await world.migration.drain(position);
  const { suspended } = await world.migration.state();
  const verdict = await compare(world);
  say(`compared ${count(verdict.rows)} rows of ${verdict.tables} tables, definitions and sequences`);
  say(`${count(verdict.refused)} rows were refused and are recorded`);
  return [...suspended.map((table) => `${table} was set aside`), ...verdict.problems];
}

/** Ends the service, and resolves with what it leaves beyond what one that has done nothing leaves. */
async function filesLeft({ service, freshFiles, dataDir, temporaryDir }: Ground): Promise<readonly string[]> {
  await service.stop();
  const fresh = new Set(freshFiles);
  const files = (await filesBelow(dataDir)).filter((file) => !fresh.has(file));
  const temporary = await filesBelow(temporaryDir);
  return [
    ...files.map((file) => `left in the data directory: ${file}`),
    ...temporary.map((file) => `left in the temporary directory: ${file}`),
  ];
}

function grown(results: readonly Flatness[]): readonly string[] {
  return results.filter(({ verdict }) => verdict === "grows").map(describeFlatness);
}

interface Progress {
  readonly elapsedS: number;
  readonly leftS: number;
  readonly faults: number;
  readonly application: Application;
  readonly watch: Watch;
}

function progressLine({ elapsedS, leftS, faults, application, watch }: Progress): string {
  const { commits, inserts, updates, deletes } = application.statistics;
  const memory = (name: "serviceMemory" | "workerMemory"): string => `${Math.round(watch.newest(name) ?? 0)}`;
  return [
    `${duration(elapsedS)}, left ${duration(leftS)}`,
    `${count(commits)} transactions, ${count(inserts + updates + deletes)} rows`,
    watch.lagS === undefined ? "lag unknown" : `lag ${watch.lagS} s`,
    `memory ${memory("serviceMemory")} + ${memory("workerMemory")} MB`,
    `faults ${faults}`,
  ].join("; ");
}
