import type { EventSource, ServiceEvent } from "./store.ts";

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

/** AWS DMS's categories of events, by their source; some never occur here. */
export const eventCategories: Readonly<Record<EventSource, readonly string[]>> = {
  "replication-instance": [
    "configuration change",
    "creation",
    "deletion",
    "failover",
    "failure",
    "low storage",
    "maintenance",
  ],
  "replication-task": ["configuration change", "creation", "deletion", "failure", "state change"],
};

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

interface Happening {
  /** Of the instance or task that it happened to. */
  readonly identifier: string;
  readonly detail?: string | undefined;
  /** Now when left out. */
  readonly atMs?: number;
}

/** What has happened, to be stored in the same step as the record that it is about. */
export function serviceEvent(
  name: EventName,
  { identifier, detail, atMs = Date.now() }: Happening,
): ServiceEvent {
  const kind = eventKinds[name];
  return {
    atMs,
    sourceType: kind.source,
    sourceIdentifier: identifier,
    categories: [kind.category],
    message: `${kind.text}${detail === undefined ? "" : ` ${detail}`} [DMS-EVENT-${kind.id}]`,
  };
}
