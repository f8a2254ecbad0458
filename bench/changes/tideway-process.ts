import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { cleanUpTask } from "../../src/server/run-task.ts";
import { findInstanceClass, processLimits } from "../../src/task/instance-class.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import { treeCpuS } from "../../test/support/process-table.ts";
import type { Stage } from "../../test/support/stage.ts";
import { PeakMemory } from "../peak-memory.ts";
import type { ToolUsage } from "../profile.ts";
import type { Replication } from "./contender.ts";

/** The smallest of the classes for computing: two cores. */
const INSTANCE_CLASS = "dms.c5.large";

/** A process like a worker of `tideway serve`: it has loaded the program and waits for the task. */
export class TidewayReplication implements Replication {
  readonly failed: Promise<never>;
  readonly #spec: TaskSpec;
  readonly #stage: Stage;
  readonly #failed = Promise.withResolvers<never>();
  #child: ChildProcess | undefined;
  #outcome: TaskOutcome | undefined;
  #memory: PeakMemory | undefined;
  #cpuBeforeS = 0;

  constructor(spec: TaskSpec, stage: Stage) {
    this.#spec = spec;
    this.#stage = stage;
    this.failed = this.#failed.promise;
    this.failed.catch(() => undefined);
  }

  async prepare(): Promise<void> {
    const path = join(import.meta.dirname, "..", "..", "test", "support", "task-child.ts");
    const { execArgv, environment } = processLimits(findInstanceClass(INSTANCE_CLASS)!);
    const child = fork(path, [], {
      execArgv: [...execArgv],
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    this.#stage.defer(async () => {
      child.kill("SIGKILL");
    });
    child.on("message", (message: { outcome?: TaskOutcome }) => {
      if (message.outcome !== undefined) this.#outcome = message.outcome;
    });
    child.once("exit", (code, signal) =>
      this.#failed.reject(
        new Error(`Tideway's process ended: ${this.#problem() ?? signal ?? `exit code ${code}`}`),
      ),
    );
    await Promise.race([once(child, "message"), this.failed]);
  }

  start(): void {
    this.#child!.send(this.#spec);
  }

  measure(): void {
    this.#memory?.stop();
    this.#memory = PeakMemory.ofTree(this.#child!.pid!);
    this.#cpuBeforeS = treeCpuS(this.#child!.pid!);
  }

  usage(): ToolUsage {
    return {
      cpuS: treeCpuS(this.#child!.pid!) - this.#cpuBeforeS,
      peakBytes: this.#memory!.stop(),
    };
  }

  async stop(): Promise<string | undefined> {
    const child = this.#child!;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.send({ stop: true });
      await ended;
    }
    return this.#problem();
  }

  #problem(): string | undefined {
    return this.#outcome === undefined ? "it told no outcome" : problemOf(this.#outcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#memory?.stop();
    this.#child?.kill("SIGKILL");
    await cleanUpTask(this.#spec, new AbortController().signal);
  }
}

/** Why a task that was to be stopped is not as it should be; undefined when it is. */
export function problemOf({ state, error, suspendedTables }: TaskOutcome): string | undefined {
  if (state !== "stopped") return JSON.stringify(error);
  return suspendedTables.length === 0 ? undefined : `tables set aside: ${JSON.stringify(suspendedTables)}`;
}
