import assert from "node:assert/strict";
import type { Failpoint } from "../../src/base/failpoint.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import type { Arming } from "./killable.ts";
import { armingOf, type PlannedKill } from "./kills.ts";
import { MysqlKillWorkload } from "./mysql-kill-schema.ts";
import { assertStopped, type MysqlPair } from "./mysql-pair.ts";
import { TaskProcess } from "./task.ts";

export interface MysqlRun {
  /** resume-processing when it is left out. */
  readonly start?: TaskSpec["start"];
  readonly untilCaughtUp?: boolean;
  /** Gives the process orders. */
  readonly steer?: (task: TaskProcess) => void;
}

/** One task from MySQL that is killed again and again and goes on each time. */
export class MysqlLife {
  readonly pair: MysqlPair;
  readonly #killedAt: Failpoint[] = [];

  constructor(pair: MysqlPair) {
    this.pair = pair;
  }

  /** Where it has been killed so far, for messages. */
  get history(): string {
    return `killed at ${this.#killedAt.join(", ")}`;
  }

  write(note: string): Promise<MysqlKillWorkload> {
    return MysqlKillWorkload.start(this.pair.servers.source, this.pair.from, note);
  }

  /** Runs the task until it is killed there; fails when it ends in another way. */
  async kill(kill: PlannedKill, run: MysqlRun = {}): Promise<void> {
    const { failpoint } = kill;
    const task = this.#process(run, armingOf(kill));
    run.steer?.(task);
    const { signal, outcome } = await task.ended();
    const how = `${this.history}; then not at ${failpoint}: ${JSON.stringify(outcome?.error ?? outcome?.stopReason)}`;
    assert.equal(signal, "SIGKILL", how);
    this.#killedAt.push(failpoint);
  }

  /** Runs the task to its end; no table may be set aside. */
  async finish(run: MysqlRun = {}): Promise<TaskOutcome> {
    const task = this.#process(run);
    run.steer?.(task);
    const { outcome } = await task.ended();
    try {
      assertStopped(outcome!);
    } catch (error) {
      throw new Error(`${this.history}: ${(error as Error).message}`, { cause: error });
    }
    return outcome!;
  }

  async assertEqual(): Promise<void> {
    try {
      await this.pair.assertEqual();
    } catch (error) {
      throw new Error(`${this.history}: ${(error as Error).message}`, { cause: error });
    }
  }

  #process({ start = "resume-processing", untilCaughtUp = true }: MysqlRun, arming?: Arming): TaskProcess {
    const { spec } = this.pair;
    const ends = untilCaughtUp && spec.type !== "full-load";
    return new TaskProcess({ ...spec, start, startId: "first", untilCaughtUp: ends }, arming);
  }
}
