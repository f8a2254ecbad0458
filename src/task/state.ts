/**
 * The states a replication task and a replication instance can be in, and what may happen in each.
 * The tables are the only truth: nothing else decides whether an operation is allowed, and a state
 * or an action that is added without its cells does not compile.
 */
export type TaskStatus =
  | "creating"
  | "ready"
  | "starting"
  | "running"
  | "stopping"
  | "stopped"
  | "failed"
  | "modifying"
  | "moving"
  | "failed-move"
  | "testing"
  | "deleting";

/** What people ask of a task (start, stop, ...) and what becomes of it (created, began, ended, ...). */
export type TaskAction =
  | "created"
  | "start"
  | "began"
  | "stop"
  | "ended"
  | "broke"
  | "modify"
  | "move"
  | "reload-tables"
  | "retry-errors"
  | "delete";

/** The state that follows, or undefined where the action is refused. */
type Row = Readonly<Record<TaskAction, TaskStatus | undefined>>;

const nothing: Row = {
  created: undefined,
  start: undefined,
  began: undefined,
  stop: undefined,
  ended: undefined,
  broke: undefined,
  modify: undefined,
  move: undefined,
  "reload-tables": undefined,
  "retry-errors": undefined,
  delete: undefined,
};

/** At rest: may be started, changed, moved and deleted. */
const resting: Row = {
  ...nothing,
  start: "starting",
  modify: "modifying",
  move: "moving",
  delete: "deleting",
};

const transitions: Readonly<Record<TaskStatus, Row>> = {
  creating: { ...nothing, created: "ready", delete: "deleting" },
  ready: resting,
  starting: { ...nothing, began: "running", stop: "stopping", ended: "stopped", broke: "failed" },
  running: {
    ...nothing,
    began: "running",
    stop: "stopping",
    ended: "stopped",
    broke: "failed",
    "reload-tables": "running",
    "retry-errors": "running",
  },
  stopping: { ...nothing, began: "stopping", ended: "stopped", broke: "failed" },
  stopped: resting,
  failed: resting,
  modifying: nothing,
  moving: nothing,
  "failed-move": resting,
  testing: nothing,
  deleting: nothing,
};

export function nextTaskStatus(from: TaskStatus, action: TaskAction): TaskStatus | undefined {
  return transitions[from][action];
}

/** True while a worker runs the task, or ought to. */
export function isActive(status: TaskStatus): boolean {
  return status === "starting" || status === "running" || status === "stopping";
}

export type InstanceStatus =
  | "creating"
  | "available"
  | "modifying"
  | "upgrading"
  | "rebooting"
  | "deleting"
  | "failed";

export type InstanceAction = "ready" | "broke" | "use" | "modify" | "upgrade" | "reboot" | "delete";

type InstanceRow = Readonly<Record<InstanceAction, InstanceStatus | undefined>>;

/** Its process is about to come up; until then it takes no orders. */
const comingUp: InstanceRow = {
  ready: "available",
  broke: "failed",
  use: undefined,
  modify: undefined,
  upgrade: undefined,
  reboot: undefined,
  delete: undefined,
};

const instanceTransitions: Readonly<Record<InstanceStatus, InstanceRow>> = {
  creating: comingUp,
  modifying: comingUp,
  upgrading: comingUp,
  rebooting: comingUp,
  available: {
    ready: "available",
    broke: "failed",
    use: "available",
    modify: "modifying",
    upgrade: "upgrading",
    reboot: "rebooting",
    delete: "deleting",
  },
  failed: { ...comingUp, modify: "modifying", upgrade: "upgrading", reboot: "rebooting", delete: "deleting" },
  deleting: { ...comingUp, ready: undefined, broke: undefined },
};

export function nextInstanceStatus(from: InstanceStatus, action: InstanceAction): InstanceStatus | undefined {
  return instanceTransitions[from][action];
}
