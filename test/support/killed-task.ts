import assert from "node:assert/strict";
import type { Failpoint } from "../../src/base/failpoint.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import type { Arming } from "./killable.ts";
import { armingOf, type PlannedKill } from "./kills.ts";
import { assertStopped, TaskProcess } from "./task.ts";

/** How one process of the task is run. */
export interface Run {
  /** resume-processing when it is left out. */
  readonly start?: TaskSpec["start"];
  /** The same start as the runs before when it is left out. */
  readonly startId?: string;
  /** Whether it ends by itself when it has caught up; true when it is left out. */
  readonly untilCaughtUp?: boolean;
  /** Gives the process orders. */
  readonly steer?: (task: TaskProcess) => void;
}

/** A task that is killed again and again and goes on each time. */
export class KilledTask {
  readonly spec: TaskSpec;
  readonly #killedAt: Failpoint[] = [];

  constructor(spec: TaskSpec) {
    this.spec = spec;
  }

  /** Where it has been killed so far, for messages. */
  get history(): string {
    return `killed at ${this.#killedAt.join(", ")}`;
  }

  /** Runs the task until it is killed there; fails when it ends in another way. */
  async kill(kill: PlannedKill, run: Run = {}): Promise<void> {
    const { failpoint } = kill;
    const { signal, outcome } = await this.#ended(run, armingOf(kill));
    const how = `${this.history}; then not at ${failpoint}: ${JSON.stringify(outcome?.error ?? outcome?.stopReason)}`;
    assert.equal(signal, "SIGKILL", how);
    this.#killedAt.push(failpoint);
  }

  /** Runs the task to its end; no table may be set aside. */
  async finish(run: Run = {}): Promise<TaskOutcome> {
    const { outcome } = await this.#ended(run);
    await this.telling(async () => {
      assert.ok(outcome !== undefined, "it ended without an outcome");
      assertStopped(outcome);
    });
    return outcome!;
  }

  /** What fails in it says where the task has been killed. */
  protected async telling(check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      throw new Error(`${this.history}: ${(error as Error).message}`, { cause: error });
    }
  }

  async #ended(
    { start = "resume-processing", untilCaughtUp = true, startId = "first", steer }: Run,
    arming?: Arming,
  ): ReturnType<TaskProcess["ended"]> {
    const ends = untilCaughtUp && this.spec.type !== "full-load";
    const task = new TaskProcess({ ...this.spec, start, startId, untilCaughtUp: ends }, arming);
    steer?.(task);
    return await task.ended();
  }
}
