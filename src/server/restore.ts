import { assessAndStart } from "../api/premigration.ts";
import { finishDeletion } from "../api/replication-instances.ts";
import { inBackground, type Service } from "../api/service.ts";
import { finishCreation } from "../api/task-creation.ts";
import { finishTaskDeletion } from "../api/task-orders.ts";
import { isActive } from "../task/state.ts";

const INTERRUPTED = "The server was restarted meanwhile. Ask again.";

/**
 * Takes up what a server that has ended left in the store: instances get their processes, tasks that
 * ran resume, and what was under way is finished or said to have failed.
 */
export async function restore(service: Service): Promise<void> {
  const { store, supervisor } = service;
  const { ledger } = supervisor;
  for (const connection of await store.list("connection")) {
    if (connection.status !== "testing") continue;
    ledger.inOrder(connection.arn, () =>
      store.update("connection", connection.arn, (record) => {
        return { ...record, status: "failed", failure: INTERRUPTED };
      }),
    );
  }
  for (const list of await store.list("schema-list")) {
    if (list.status !== "refreshing") continue;
    ledger.inOrder(list.arn, () =>
      store.update("schema-list", list.arn, (record) => {
        return { ...record, status: "failed", failure: INTERRUPTED };
      }),
    );
  }
  const awaited = new Set(
    (await store.list("task")).map(({ status, serverless }) =>
      status === "starting" ? serverless?.awaits : undefined,
    ),
  );
  for (const run of await store.list("assessment-run")) {
    // What a start waits for is carried out again.
    if (run.status !== "running" || awaited.has(run.arn)) continue;
    ledger.inOrder(run.arn, () =>
      store.update("assessment-run", run.arn, (record) => {
        return { ...record, status: "error-executing", failure: INTERRUPTED };
      }),
    );
  }
  for (const task of await store.list("task")) {
    if (task.status === "creating") finishCreation(task.arn, service);
    if (task.status === "stopping") ledger.abandoned(task.arn, "NORMAL", undefined);
  }
  for (const instance of await store.list("instance")) {
    if (instance.status === "deleting") inBackground(service, () => finishDeletion(instance, service));
    else supervisor.startInstance(instance);
  }
  for (const task of await store.list("task")) {
    if (task.status === "deleting") inBackground(service, () => finishTaskDeletion(task, service));
    // The others are run when their instance is ready.
    if (task.serverless !== undefined && isActive(task.status)) {
      await supervisor.runTask(task);
      inBackground(service, () => assessAndStart(task, service));
    }
  }
}
