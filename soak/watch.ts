import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { readMemory } from "../test/support/process-table.ts";
import { type Flatness, flatness, type Measure } from "./flatness.ts";
import type { Service } from "./service.ts";
import { beatOf, type Side, type World } from "./world.ts";

/** What has to stay where it is. The slack is what one connection more, or one large transaction, takes. */
const measures = {
  serviceMemory: { name: "memory of tideway serve", unit: " MB", slack: 32 },
  workerMemory: { name: "memory of the worker", unit: " MB", slack: 96 },
  serviceFiles: { name: "open files of tideway serve", unit: "", slack: 5 },
  workerFiles: { name: "open files of the worker", unit: "", slack: 10 },
  sourceSessions: { name: "sessions on the source", unit: "", slack: 5 },
  targetSessions: { name: "sessions on the target", unit: "", slack: 5 },
} as const satisfies Readonly<Record<string, Measure>>;

type MeasureName = keyof typeof measures;

const SAMPLE_MS = 1000;
/** The task is asked about less often: the answers are long. */
const SAMPLES_A_STATE = 5;

/** Looks at everything once a second. */
export class Watch implements AsyncDisposable {
  /** Rejects when the task fails or sets a table aside: neither passes by itself. */
  readonly failed: Promise<never>;
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly #samples = new Map<MeasureName, number[]>();
  readonly #looking: Promise<void>;
  #lagS: number | undefined;

  constructor(world: World) {
    this.#world = world;
    const failure = Promise.withResolvers<never>();
    this.failed = failure.promise;
    this.failed.catch(() => undefined);
    this.#looking = this.#look().catch(failure.reject);
  }

  /** How many beats, one a second, are not on the target yet; undefined while a server is away. */
  get lagS(): number | undefined {
    return this.#lagS;
  }

  newest(name: MeasureName): number | undefined {
    return this.#samples.get(name)?.at(-1);
  }

  results(): readonly Flatness[] {
    return (Object.keys(measures) as MeasureName[]).map((name) =>
      flatness(measures[name], this.#samples.get(name) ?? []),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { signal } = this.#stop;
    const { service, source, target } = this.#world;
    for (let count = 0; !signal.aborted; count++) {
      this.#takeProcesses(service);
      this.#take("sourceSessions", await sessionsOn(source));
      this.#take("targetSessions", await sessionsOn(target));
      const [sent, arrived] = [await beatOf(source), await beatOf(target)];
      this.#lagS = sent === undefined || arrived === undefined ? undefined : sent - arrived;
      if (count % SAMPLES_A_STATE === 0) await this.#checkTask();
      await delay(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #takeProcesses({ pid, workers }: Service): void {
    this.#take("serviceMemory", memoryOf(pid));
    this.#take("workerMemory", memoryOf(workers[0]));
    this.#take("serviceFiles", filesOf(pid));
    this.#take("workerFiles", filesOf(workers[0]));
  }

  async #checkTask(): Promise<void> {
    // Without an answer the service is being started, which is one of the faults.
    const state = await this.#world.migration.state().catch(() => undefined);
    if (state?.status === "failed") throw new Error(`the task has failed: ${state.failure}`);
    if (state !== undefined && state.suspended.length > 0) {
      throw new Error(`the task has set tables aside: ${state.suspended.join(", ")}`);
    }
  }

  #take(name: MeasureName, value: number | undefined): void {
    if (value === undefined) return;
    const samples = this.#samples.get(name) ?? [];
    this.#samples.set(name, samples);
    samples.push(value);
  }
}

/** Resident memory in MB; undefined for a process that is not there. */
function memoryOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  const { residentBytes } = readMemory(pid);
  return residentBytes === 0 ? undefined : residentBytes / 1024 / 1024;
}

function filesOf(pid: number | undefined): number | undefined {
  try {
    return pid === undefined ? undefined : readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** Tideway's, in this database. */
async function sessionsOn({ observer }: Side): Promise<number | undefined> {
  const row = await observer.ask<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name like 'tideway %'`,
  );
  return row?.count;
}
