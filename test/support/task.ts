import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Finding } from "../../src/core/finding.ts";
import { runTask } from "../../src/server/run-task.ts";
import type { RunningTask, TaskOutcome, TaskProgress, TaskSpec } from "../../src/task/task.ts";
import { PATIENCE_S } from "./eventually.ts";
import { type Arming, forkKillable } from "./killable.ts";
import type { TaskOrder } from "./task-child.ts";

let specs = 0;

export const everything = JSON.stringify({
  rules: [
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "all",
      "object-locator": { "schema-name": "%", "table-name": "%" },
      "rule-action": "include",
    },
  ],
});

/** Selects all tables of the named schemas. */
export function schemas(...names: string[]): string {
  return JSON.stringify({
    rules: names.map((name, index) => ({
      "rule-type": "selection",
      "rule-id": String(index + 1),
      "rule-name": name,
      "object-locator": { "schema-name": name.replaceAll("_", "[_]"), "table-name": "%" },
      "rule-action": "include",
    })),
  });
}

/** A task with an id of its own; recoverable errors are retried after a second. */
export function taskSpec(parts: Pick<TaskSpec, "type" | "source" | "target"> & Partial<TaskSpec>): TaskSpec {
  return {
    id: `test_${process.pid}_${++specs}`,
    name: "test",
    tableMappings: everything,
    settings: JSON.stringify({
      ErrorBehavior: { RecoverableErrorInterval: 1, FailOnNoTablesCaptured: false },
    }),
    start: "start-replication",
    startId: undefined,
    cdcStartPosition: undefined,
    cdcStopPosition: undefined,
    untilCaughtUp: false,
    ...parts,
  };
}

/** A task in this process with all it tells kept. */
export class ObservedTask {
  readonly findings: Finding[] = [];
  readonly logs: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  readonly running: RunningTask;
  last: TaskProgress | undefined;
  readonly #waiting = new Set<{
    readonly wanted: (progress: TaskProgress) => boolean;
    readonly found: () => void;
  }>();

  constructor(spec: TaskSpec) {
    this.running = runTask(spec, {
      progress: (progress) => this.#progress(progress),
      finding: (finding) => this.findings.push(finding),
      log: (_level, message, fields) => this.logs.push({ message, fields }),
    });
  }

  /** Resolves at the first progress that fits; rejects when the task ends before, or does not come there. */
  async until(wanted: (progress: TaskProgress) => boolean): Promise<void> {
    if (this.last !== undefined && wanted(this.last)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { wanted, found: resolve };
    this.#waiting.add(waiting);
    const late = (): void =>
      reject(new Error(`The task is not there after ${PATIENCE_S} s, but: ${JSON.stringify(this.last)}`));
    const timer = setTimeout(late, PATIENCE_S * 1000);
    const ended = this.running.outcome.then((outcome) => {
      if (!wanted(outcome.progress))
        throw new Error(`The task ended before: ${JSON.stringify(outcome.error)}`);
    });
    try {
      await Promise.race([promise, ended]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  #progress(progress: TaskProgress): void {
    this.last = progress;
    for (const { wanted, found } of this.#waiting) if (wanted(progress)) found();
  }
}

/** It ended by itself and set no table aside. */
export function assertStopped(outcome: TaskOutcome): void {
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const aside = outcome.progress.tables.filter(({ error }) => error !== undefined);
  assert.deepEqual(
    aside.map(({ id, error }) => `${id.name}: ${error!.code} ${error!.message}`),
    [],
  );
}

/** Runs a task to its end in this process. */
export async function runToEnd(
  spec: TaskSpec,
): Promise<{ readonly outcome: TaskOutcome; readonly findings: readonly Finding[] }> {
  const task = new ObservedTask(spec);
  return { outcome: await task.running.outcome, findings: task.findings };
}

/** A task in a process of its own, to be killed. */
export class TaskProcess {
  readonly child: ChildProcess;
  /** All that it told has been read when the channel is closed. */
  readonly #exit: Promise<readonly unknown[][]>;
  readonly #messages: ({ progress: TaskProgress } | { outcome: TaskOutcome })[] = [];

  constructor(work: TaskSpec | { readonly cleanUp: TaskSpec }, arming?: Arming) {
    const { source, target } = "cleanUp" in work ? work.cleanUp : work;
    this.child = forkKillable("task-child.ts", [source.engine, target.engine], arming);
    this.#exit = Promise.all([once(this.child, "exit"), once(this.child, "disconnect")]);
    this.child.on("message", (message) => this.#messages.push(message as never));
    this.child.send(work);
  }

  /** How it ended: the signal that killed it, or its exit code and the outcome it reported. */
  async ended(): Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly outcome: TaskOutcome | undefined;
  }> {
    const [[code, signal]] = (await this.#exit) as [[number | null, string | null], unknown];
    const last = this.#messages.findLast((message) => "outcome" in message);
    const outcome = last === undefined ? undefined : (last as { outcome: TaskOutcome }).outcome;
    return { code, signal, outcome };
  }

  /** Resolves at the first progress that fits; rejects when the process ends before. */
  async until(wanted: (progress: TaskProgress) => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.child.on("message", (message: { progress?: TaskProgress }) => {
        if (message.progress !== undefined && wanted(message.progress)) resolve();
      });
      this.child.once("exit", () => reject(new Error("The task's process ended before.")));
    });
  }

  /** Nothing happens when the process has ended. */
  order(order: TaskOrder): void {
    if (this.child.connected) this.child.send(order, () => undefined);
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}
