import assert from "node:assert/strict";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import type { Arming } from "./killable.ts";
import { assertStopped, ObservedTask, TaskProcess } from "./task.ts";

/** A task that a test runs as often as it wants; the names of `parts` are those of its settings that change. */
export class TaskRuns {
  readonly spec: TaskSpec;
  readonly #tasks: ObservedTask[] = [];

  constructor(spec: TaskSpec) {
    this.spec = spec;
  }

  run(parts: Partial<TaskSpec> = {}): ObservedTask {
    const task = new ObservedTask({ ...this.spec, ...parts });
    this.#tasks.push(task);
    return task;
  }

  /** Runs the task; resolves when it has caught up and goes on. */
  async replicate(parts: Partial<TaskSpec> = {}): Promise<ObservedTask> {
    const task = this.run(parts);
    await task.until(({ phase }) => phase === "replicating");
    return task;
  }

  /** Runs a full load to its end. */
  async load(parts: Partial<TaskSpec> = {}): Promise<ObservedTask> {
    const task = this.run({ type: "full-load", ...parts });
    assertStopped(await task.running.outcome);
    return task;
  }

  /** Applies what the source has until now, and ends the task. */
  async drain(task: ObservedTask): Promise<TaskOutcome> {
    task.running.drain();
    const outcome = await task.running.outcome;
    assertStopped(outcome);
    return outcome;
  }

  /** Runs the task in a process of its own, to go on where it was. */
  process(parts: Partial<TaskSpec> = {}, arming?: Arming): TaskProcess {
    return new TaskProcess({ ...this.spec, start: "resume-processing", startId: "first", ...parts }, arming);
  }

  /** The same until the process kills itself there; fails when it ends in another way. */
  async killAt(arming: Arming, parts: Partial<TaskSpec> = {}): Promise<void> {
    const { signal, outcome } = await this.process(parts, arming).ended();
    const how = JSON.stringify(outcome?.error ?? outcome?.stopReason);
    assert.equal(signal, "SIGKILL", `not at ${arming}: ${how}`);
  }

  /** Ends what a test that failed has left at work, which would keep its file from ending. */
  async end(): Promise<void> {
    for (const { running } of this.#tasks) {
      running.stop();
      running.stop();
      await running.outcome;
    }
  }
}
