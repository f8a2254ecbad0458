import { asMigrationError } from "../core/error.ts";
import type { RunningTask, TaskSpec } from "../task/task.ts";
import {
  type FromWorker,
  longestAnswerMs,
  type ToWorker,
  type WorkerAnswer,
  type WorkerRequest,
} from "../task/worker-protocol.ts";
import { assessMigration } from "./assess-migration.ts";
import { loadEngines, registry } from "./engines.ts";
import { cleanUpTask, runTask } from "./run-task.ts";

/**
 * A replication instance: a process of its own that runs tasks on behalf of the control plane it was
 * forked by. It holds nothing that is not in the databases; when the channel closes it ends at once,
 * since another worker may be about to take its tasks over.
 */
const running = new Map<string, RunningTask>();

function send(message: FromWorker): void {
  // Without a callback a channel that closes meanwhile would end the process with an error of its own.
  if (process.connected) process.send!(message, () => undefined);
}

function run(spec: TaskSpec): void {
  const taskId = spec.id;
  const task = runTask(spec, {
    progress: (progress) => send({ kind: "progress", taskId, progress }),
    finding: (finding) => send({ kind: "finding", taskId, finding }),
    log: (level, message, fields) => send({ kind: "log", taskId, level, message, fields }),
  });
  running.set(taskId, task);
  void task.outcome.then((outcome) => {
    running.delete(taskId);
    send({ kind: "finished", taskId, outcome });
  });
}

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  const signal = AbortSignal.timeout(longestAnswerMs(request.kind));
  try {
    switch (request.kind) {
      case "test-connection": {
        const engine = registry.find(request.endpoint.engine);
        return { ok: true, ...(await engine.testConnection(request.endpoint, request.role, signal)) };
      }
      case "list-schemas": {
        const engine = registry.find(request.endpoint.engine);
        await using source = await engine.openSource(request.endpoint, signal);
        return { ok: true, schemas: await source.listSchemas(signal) };
      }
      case "clean-up":
        await cleanUpTask(request.spec, signal);
        return { ok: true };
      case "assess": {
        const { spec } = request;
        const { source, target } = spec;
        return {
          ok: true,
          assessment: await assessMigration({ spec, source, target, estimates: undefined }, signal),
        };
      }
    }
  } catch (error) {
    return { ok: false, error: asMigrationError(error).toJSON() };
  }
}

/** Tells a task something that it may refuse, which the log then says. */
function order(taskId: string, refusal: string, tell: (task: RunningTask) => void): void {
  const task = running.get(taskId);
  try {
    if (task !== undefined) tell(task);
  } catch (error) {
    const { code, subject } = asMigrationError(error);
    send({ kind: "log", taskId, level: "warn", message: refusal, fields: { code, subject } });
  }
}

process.on("message", (message: ToWorker) => {
  switch (message.kind) {
    case "run":
      run(message.spec);
      break;
    case "stop":
      running.get(message.taskId)?.stop();
      break;
    case "reload":
      order(message.taskId, "reload refused", (task) => task.reloadTables(message.tables));
      break;
    case "retry":
      order(message.taskId, "retry of refused rows refused", (task) => task.retryErrors(message.wish));
      break;
    default:
      void answer(message).then((result) =>
        send({ kind: "answer", request: message.request, answer: result }),
      );
  }
});

// The terminal's Ctrl-C reaches the whole process group; stopping in order is the control plane's business.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
await loadEngines();
send({ kind: "ready" });
