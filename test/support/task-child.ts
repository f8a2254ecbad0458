import type { TableId } from "../../src/core/schema.ts";
import { loadEngines, registry } from "../../src/server/engines.ts";
import { cleanUpTask, runTask } from "../../src/server/run-task.ts";
import type { TaskSpec } from "../../src/task/task.ts";

/** What a task that runs may be told. */
export interface TaskOrder {
  readonly stop?: true;
  readonly drain?: true;
  readonly reload?: readonly TableId[];
}

/**
 * A process that runs the one task it is sent, or removes what that has left, tells progress and outcome,
 * and ends. Like a worker of `tideway serve` it has loaded the program before, of the engines those that its arguments
 * name, or all; it says when it is ready.
 */
process.once("message", (work: TaskSpec | { readonly cleanUp: TaskSpec }) => {
  if ("cleanUp" in work) void cleanUp(work.cleanUp);
  else run(work);
});
const engines = process.argv.slice(2);
if (engines.length === 0) await loadEngines();
else await Promise.all(engines.map((name) => registry.find(name).load()));
process.send?.({ ready: true });

function run(spec: TaskSpec): void {
  const task = runTask(spec, {
    progress: (progress) => process.send?.({ progress }),
    finding: () => undefined,
    log: () => undefined,
  });
  process.on("message", ({ stop, drain, reload }: TaskOrder) => {
    if (reload !== undefined) task.reloadTables(reload);
    if (stop === true) task.stop();
    if (drain === true) task.drain();
  });
  void task.outcome.then((outcome) => process.send?.({ outcome }, () => process.disconnect()));
}

/** Fails as a process does that throws. */
async function cleanUp(spec: TaskSpec): Promise<void> {
  await cleanUpTask(spec, new AbortController().signal);
  process.disconnect();
}
