import type { Stage } from "../test/support/stage.ts";
import type { PeerTools, ToolName } from "./peer-tools.ts";
import type { Target } from "./target.ts";

/**
 * One thing to measure. The runner knows nothing beyond this file: a profile of another engine is
 * another entry of profiles.ts.
 */
export interface Profile {
  /** `family/case` where several belong together; the family's name selects them all. */
  readonly name: string;
  readonly description: string;
  /** What each side does and does not do, so that like is compared with like. */
  readonly fairness: string;
  /** What the rows of the table show. */
  readonly shows: "throughput" | "lag";
  /** Major version of its PostgreSQL servers unless another is asked for. */
  readonly serverVersion: number;
  /** Whether one of its servers, or both, is the distribution's MariaDB. */
  readonly mariadb: boolean;
  /** About how long it takes with three pairs at scale 1. */
  readonly minutes: number;
  /** Tideway comes first. */
  readonly contenders: readonly ContenderEntry[];
  readonly targets: readonly Target[];
  /** Runs of Tideway that are made before the pairs and not counted: they leave both servers warm. */
  readonly warmUps: number;
  /** Starts the servers and makes the data. */
  prepare(context: Context): Promise<Workbench>;
}

export interface ContenderEntry {
  readonly name: string;
  /** Programs of others; what is not there is installed where that is possible. */
  readonly needs: readonly ToolName[];
  /** Why it cannot run here; then the reason is reported in its place. */
  missing(context: Context): string | undefined;
}

export interface Context {
  /** Holds servers, processes and files; gone after the profile. */
  readonly stage: Stage;
  readonly scale: number;
  readonly serverVersion: number;
  /** The contenders that will run, in this order in every round. */
  readonly contenders: readonly string[];
  /** Runs of the first contender before those that count. */
  readonly warmUps: number;
  /** How often a contender runs, warm-ups included. */
  rounds(contender: string): number;
  readonly tools: PeerTools;
}

/** Servers with data, ready for runs. Everything of it lives on the stage. */
export interface Workbench {
  readonly volume: Volume;
  /** Processes of the servers whose CPU time is told apart from the tool's. */
  readonly sourcePid: number;
  /** undefined where nothing is written. */
  readonly targetPid: number | undefined;
  /** The target as it is before a run: not timed. A contender's rounds count from 0. */
  open(contender: string, round: number): Promise<Attempt>;
}

export interface Volume {
  /** Rows to load, or changed rows. */
  readonly rows: number;
  /** Of COPY's text form; undefined where rows are no measure of what moves, or psql is not there. */
  readonly bytes: number | undefined;
}

/** One run of one contender. Disposing leaves the workbench ready for the next. */
export interface Attempt extends AsyncDisposable {
  /** What is timed; resolves once the target holds everything. */
  run(): Promise<RunReport>;
  /** Why the outcome is wrong; undefined when every row is as it should be. */
  check(): Promise<string | undefined>;
}

export interface RunReport {
  /** undefined when the work is done by the servers alone. */
  readonly tool: ToolUsage | undefined;
  readonly lag?: LagFigures;
}

/** Of all processes of a tool together. */
export interface ToolUsage {
  readonly cpuS: number;
  readonly peakBytes: number;
}

export interface LagFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly transactionsPerS: number;
}
