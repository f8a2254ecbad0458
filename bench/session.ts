import { tmpdir } from "node:os";
import { Stage } from "../test/support/stage.ts";
import type { BenchOptions } from "./options.ts";
import type { PeerTools } from "./peer-tools.ts";
import type { Context, Profile } from "./profile.ts";
import type { Progress } from "./progress.ts";
import type { Measured } from "./report.ts";
import { runProfile } from "./runner.ts";

export const MEMORY = "/dev/shm";

/** From this scale on a run takes minutes, in which a first touch of anything is lost. */
const LONG_SCALE = 5;

export interface Session {
  readonly options: BenchOptions;
  readonly tools: PeerTools;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** All stages of this session: what is on them is removed whatever happens. */
  readonly stages: Stage[];
  /** Keeps what has been measured so far: hours of it must not hang on what comes last. */
  readonly keep: (outcome: Outcome) => Promise<void>;
}

export interface Outcome {
  readonly measured: readonly Measured[];
  /** Profiles that could not be set up. */
  readonly failures: readonly string[];
}

/** The directory in which all data is made. */
export function placeOf({ memory }: Pick<BenchOptions, "memory">): string {
  return memory ? MEMORY : tmpdir();
}

/** Every profile at every size, one after another. One that cannot be set up does not keep others back. */
export async function measureAll(session: Session): Promise<Outcome> {
  const { options, progress, signal } = session;
  const jobs = options.profiles.flatMap((profile) => options.scales.map((scale) => ({ profile, scale })));
  const measured: Measured[] = [];
  const failures: string[] = [];
  for (const { profile, scale } of jobs) {
    progress.begin(profile, scale);
    try {
      measured.push(await measureOne(profile, scale, session));
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${profile.name} at scale ${scale}: ${reason}`);
      progress.say(`COULD NOT BE SET UP: ${reason}`);
    }
    progress.end();
    await session.keep({ measured, failures });
  }
  return { measured, failures };
}

/** Servers of its own for every profile and size, so that none inherits anything. */
async function measureOne(profile: Profile, scale: number, session: Session): Promise<Measured> {
  const { options, progress, signal } = session;
  signal.throwIfAborted();
  const stage = new Stage({ prefix: "tideway-bench-", parent: placeOf(options) });
  session.stages.push(stage);
  try {
    const { pairs, memory } = options;
    const result = await runProfile(profile, contextOf(profile, scale, stage, session), {
      ...{ pairs, memory, signal },
      say: (line) => progress.say(line),
      done: (runs, of) => progress.done(runs, of),
    });
    return { profile, result };
  } finally {
    await stage.strike();
  }
}

function contextOf(profile: Profile, scale: number, stage: Stage, { options, tools }: Session): Context {
  const [ours] = profile.contenders;
  const warmUps = scale < LONG_SCALE ? profile.warmUps : 0;
  const context: Context = {
    ...{ stage, scale, tools },
    serverVersion: options.serverVersion ?? profile.serverVersion,
    warmUps,
    rounds: (name) => options.pairs + (name === ours?.name ? warmUps : 0),
    contenders: [],
  };
  const contenders = profile.contenders
    .filter(({ name }, index) => index === 0 || options.peers === undefined || options.peers.includes(name))
    .filter((entry) => entry.missing(context) === undefined);
  return { ...context, contenders: contenders.map(({ name }) => name) };
}
