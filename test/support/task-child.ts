import { runTask } from "../../src/server/run-task.ts";
import type { TaskSpec } from "../../src/task/task.ts";

/**
 * A process that runs the one task it is sent, tells progress and outcome, and ends. Like a worker of
 * `tideway serve` it has loaded the program before; it says when it is ready.
 */
process.once("message", (spec: TaskSpec) => {
  const task = runTask(spec, {
    progress: (progress) => process.send?.({ progress }),
    finding: () => undefined,
    log: () => undefined,
  });
  process.on("message", (message: { stop?: true; drain?: true }) => {
    if (message.stop === true) task.stop();
    if (message.drain === true) task.drain();
  });
  void task.outcome.then((outcome) => process.send?.({ outcome }, () => process.disconnect()));
});
process.send?.({ ready: true });
