import { runAttempt } from "./measured-run.ts";
import type { Context, Profile, Workbench } from "./profile.ts";
import type { ContenderResult, ProfileResult, RunResult } from "./result.ts";

export interface RunnerOptions {
  readonly pairs: number;
  readonly memory: boolean;
  /** One line about what is being done. */
  readonly say: (line: string) => void;
  readonly done: (runs: number, of: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs a profile's contenders in turn, A B A B, so that what changes on the machine in the meantime
 * meets all of them alike.
 */
export async function runProfile(
  profile: Profile,
  context: Context,
  options: RunnerOptions,
): Promise<ProfileResult> {
  const { say } = options;
  say("starting two servers and making the data");
  const workbench = await profile.prepare(context);
  const results = new Map<string, RunResult[]>(profile.contenders.map(({ name }) => [name, []]));
  const [ours] = context.contenders;
  const total = context.warmUps + options.pairs * context.contenders.length;
  let done = 0;
  for (let warmUp = 0; warmUp < context.warmUps && ours !== undefined; warmUp++) {
    await one(workbench, { contender: ours, round: warmUp, label: "warm-up, not counted" }, options);
    options.done(++done, total);
  }
  for (let pair = 0; pair < options.pairs; pair++) {
    for (const contender of context.contenders) {
      const label = `run ${pair + 1} of ${options.pairs}`;
      const round = pair + (contender === ours ? context.warmUps : 0);
      const result = await one(workbench, { contender, round, label }, options);
      results.get(contender)!.push({ ...result, round: pair });
      options.done(++done, total);
    }
  }
  const { volume } = workbench;
  return {
    profile: profile.name,
    scale: context.scale,
    memory: options.memory,
    serverVersion: context.serverVersion,
    rows: volume.rows,
    megabytes: volume.bytes === undefined ? undefined : volume.bytes / 1e6,
    contenders: profile.contenders.map(({ name, missing }): ContenderResult => {
      const runs = results.get(name)!;
      return { name, missing: runs.length > 0 ? undefined : (missing(context) ?? "left out"), runs };
    }),
  };
}

interface Turn {
  readonly contender: string;
  readonly round: number;
  readonly label: string;
}

async function one(workbench: Workbench, turn: Turn, { say, signal }: RunnerOptions): Promise<RunResult> {
  signal.throwIfAborted();
  const { contender, round } = turn;
  say(`${contender}, ${turn.label} ...`);
  const result = await runAttempt(workbench, contender, round, (wallS) =>
    say(`${contender}, ${turn.label}: ${wallS.toFixed(2)} s; comparing every row ...`),
  );
  signal.throwIfAborted();
  if (result.problem !== undefined) say(`${contender}, ${turn.label}: NO FIGURE: ${result.problem}`);
  return result;
}
