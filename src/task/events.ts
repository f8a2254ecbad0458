import type { EventSource, Store } from "./store.ts";

const DAY_MS = 24 * 3600 * 1000;
/** AWS keeps events for 14 days. */
export const EVENT_DAYS = 14;

interface EventKind {
  readonly source: EventSource;
  readonly category: string;
  readonly id: string;
  readonly text: string;
}

function instance(category: string, id: string, text: string): EventKind {
  return { source: "replication-instance", category, id, text };
}

function task(category: string, id: string, text: string): EventKind {
  return { source: "replication-task", category, id, text };
}

/** Everything that is recorded, with the numbers of AWS DMS. */
export const eventKinds = {
  instanceCreating: instance("creation", "0067", "The replication instance is being created."),
  instanceCreated: instance("creation", "0005", "The replication instance has been created."),
  instanceDeleting: instance("deletion", "0066", "The replication instance is being deleted."),
  instanceDeleted: instance("deletion", "0003", "The replication instance has been deleted."),
  classChanging: instance(
    "configuration change",
    "0012",
    "The class of the replication instance is being changed.",
  ),
  classChanged: instance(
    "configuration change",
    "0014",
    "The class of the replication instance has been changed.",
  ),
  storageGrown: instance(
    "configuration change",
    "0017",
    "The storage of the replication instance has grown.",
  ),
  offline: instance("maintenance", "0026", "The replication instance is offline for maintenance."),
  online: instance("maintenance", "0027", "The maintenance of the replication instance is finished."),
  workerLost: instance(
    "failover",
    "0013",
    "The process of the replication instance ended unexpectedly; a new one takes over.",
  ),
  workerBack: instance(
    "failover",
    "0049",
    "A new process of the replication instance has taken over; its tasks resume.",
  ),
  instanceFailed: instance("failure", "0031", "The process of the replication instance does not start."),
  taskCreated: task("creation", "0074", "The replication task has been created."),
  taskDeleted: task("deletion", "0073", "The replication task has been deleted."),
  taskModified: task("configuration change", "0080", "The replication task has been modified."),
  taskStarted: task("state change", "0069", "The replication task has started."),
  taskStopped: task("state change", "0079", "The replication task has stopped."),
  taskReload: task("state change", "0081", "A reload of tables was requested."),
  taskFailed: task("failure", "0078", "The replication task has failed."),
  cleanUpFailed: task(
    "failure",
    "0082",
    "Something that the deleted replication task left could not be removed.",
  ),
} as const satisfies Record<string, EventKind>;
export type EventName = keyof typeof eventKinds;

/** Remembers that something happened to the instance or task of that identifier. */
export async function recordEvent(
  store: Store,
  name: EventName,
  event: { readonly identifier: string; readonly detail?: string | undefined },
): Promise<void> {
  const kind = eventKinds[name];
  const now = Date.now();
  const detail = event.detail === undefined ? "" : ` ${event.detail}`;
  await store.removeEventsBefore(now - EVENT_DAYS * DAY_MS);
  await store.addEvent({
    atMs: now,
    sourceType: kind.source,
    sourceIdentifier: event.identifier,
    categories: [kind.category],
    message: `${kind.text}${detail} [DMS-EVENT-${kind.id}]`,
  });
}
