import type { Fault } from "./fault.ts";
import type { FaultName } from "./fault-plan.ts";
import { blackhole, forget, reset, slow } from "./faults-network.ts";
import {
  fillDisk,
  freezeWorker,
  killInReload,
  killService,
  killWorker,
  reloadTable,
  stopService,
  stopTask,
} from "./faults-process.ts";
import { cancelStatement, crash, endSessions, lockTable } from "./faults-server.ts";

export const faults: Readonly<Record<FaultName, Fault>> = {
  "worker-killed": killWorker,
  "worker-killed-in-reload": killInReload,
  "worker-frozen": freezeWorker,
  "service-killed": killService,
  "service-stopped": stopService,
  "data-disk-full": fillDisk,
  "task-stopped": stopTask,
  "table-reloaded": reloadTable,
  "source-crashed": crash("source"),
  "target-crashed": crash("target"),
  "source-reset": reset("source"),
  "target-reset": reset("target"),
  "source-dark": blackhole("source"),
  "target-dark": blackhole("target"),
  "source-slow": slow("source"),
  "target-slow": slow("target"),
  "source-forgotten": forget("source"),
  "target-forgotten": forget("target"),
  "source-sessions-ended": endSessions("source"),
  "target-sessions-ended": endSessions("target"),
  "target-statement-cancelled": cancelStatement,
  "target-locked": lockTable,
};
