import { type Spread, spreadOf } from "./statistics.ts";

/** What a run is measured by. All are of one run; peers without a tool have no figures of a tool. */
export interface Figures {
  readonly wallS: number;
  readonly toolCpuS: number | undefined;
  readonly sourceCpuS: number;
  readonly targetCpuS: number;
  readonly totalCpuS: number;
  readonly peakMb: number | undefined;
  /** What others on the machine took meanwhile, the hypervisor's other guests included: noise. */
  readonly foreignCpuS: number;
  readonly lagP50Ms: number | undefined;
  readonly lagP99Ms: number | undefined;
  readonly lagMaxMs: number | undefined;
  readonly transactionsPerS: number | undefined;
}

export type Metric = keyof Figures;

export interface RunResult {
  readonly round: number;
  /** undefined when the run failed or its rows are wrong. */
  readonly figures: Figures | undefined;
  readonly problem: string | undefined;
}

export interface ContenderResult {
  readonly name: string;
  /** Why it did not run at all. */
  readonly missing: string | undefined;
  readonly runs: readonly RunResult[];
}

export interface ProfileResult {
  readonly profile: string;
  readonly scale: number;
  readonly memory: boolean;
  readonly serverVersion: number;
  /** 0 where time is given and not work. */
  readonly rows: number;
  /** COPY-text megabytes (10^6). */
  readonly megabytes: number | undefined;
  /** Tideway comes first. */
  readonly contenders: readonly ContenderResult[];
}

/** Of the runs that count. */
export function spread(contender: ContenderResult | undefined, metric: Metric): Spread | undefined {
  const values = contender?.runs.map((run) => run.figures?.[metric]).filter((value) => value !== undefined);
  return spreadOf(values ?? []);
}

export function median(contender: ContenderResult | undefined, metric: Metric): number | undefined {
  return spread(contender, metric)?.median;
}

export function contenderOf(result: ProfileResult, name: string): ContenderResult | undefined {
  return result.contenders.find((contender) => contender.name === name);
}

/** Problems of runs, and nothing about peers that are not installed. */
export function problemsOf(result: ProfileResult): readonly string[] {
  return result.contenders.flatMap(({ name, runs }) =>
    runs.flatMap(({ round, problem }) =>
      problem === undefined ? [] : [`${result.profile}, ${name}, run ${round + 1}: ${problem}`],
    ),
  );
}
