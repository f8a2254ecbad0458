import type { FromWorker, ToWorker } from "../../src/task/worker-protocol.ts";

/* A worker process that runs nothing: its log says what it is told. */

function send(message: FromWorker): void {
  process.send!(message);
}

function tell(taskId: string, message: string, fields: Readonly<Record<string, unknown>>): void {
  send({ kind: "log", taskId, level: "info", message, fields });
}

process.on("message", (message: ToWorker) => {
  if (message.kind === "run") tell(message.spec.id, "run", { retry: message.spec.retry?.number });
  else if (message.kind === "retry") tell(message.taskId, "retry", { retry: message.wish.number });
  else if (message.kind === "stop") tell(message.taskId, "stop", {});
});
process.on("disconnect", () => process.exit(0));
send({ kind: "ready" });
