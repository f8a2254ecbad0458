import type {
  ProvisionData,
  Replication,
  ReplicationConfig,
} from "@aws-sdk/client-database-migration-service";
import type { AssessmentRunRecord, TaskRecord } from "../task/records.ts";
import { isActive } from "../task/state.ts";
import type { TaskPhase } from "../task/task.ts";
import { premigrationShape } from "./assessment-run-shape.ts";
import { computeShape } from "./compute-config.ts";
import { date, statsShape } from "./replication-task-shape.ts";
import type { Call } from "./service.ts";

/** A task that has a serverless configuration. */
export type ServerlessTask = TaskRecord & { readonly serverless: NonNullable<TaskRecord["serverless"]> };

export function isServerless(task: TaskRecord): task is ServerlessTask {
  return task.serverless !== undefined;
}

/** The configuration as the API shows it. */
export function configShape({ serverless, ...task }: ServerlessTask): ReplicationConfig {
  return {
    ReplicationConfigIdentifier: task.identifier,
    ReplicationConfigArn: task.arn,
    SourceEndpointArn: task.sourceArn,
    TargetEndpointArn: task.targetArn,
    ReplicationType: task.migrationType,
    ComputeConfig: computeShape(serverless.compute),
    ReplicationSettings: task.settings,
    SupplementalSettings: serverless.supplementalSettings,
    TableMappings: task.tableMappings,
    ReplicationConfigCreateTime: new Date(task.createdMs),
    ReplicationConfigUpdateTime: new Date(serverless.updatedMs),
  };
}

/** Its replication, which is there from the start. `runs`: assessment runs, the oldest first, those of its starts among them. */
export function replicationShape(
  task: ServerlessTask,
  runs: readonly AssessmentRunRecord[],
  call: Call,
): Replication {
  const { serverless, run } = task;
  const ofStarts = runs.filter(({ taskArn, failsStart }) => taskArn === task.arn && failsStart !== undefined);
  return {
    ReplicationConfigIdentifier: task.identifier,
    ReplicationConfigArn: task.arn,
    SourceEndpointArn: task.sourceArn,
    TargetEndpointArn: task.targetArn,
    ReplicationType: task.migrationType,
    Status: replicationStatus(task, call),
    ProvisionData: run === undefined ? undefined : provisionData(task),
    PremigrationAssessmentStatuses:
      ofStarts.length === 0 ? undefined : ofStarts.toReversed().map(premigrationShape),
    StopReason: task.stopReason,
    FailureMessages: task.failure === undefined ? [] : [task.failure],
    ReplicationStats: statsShape(task, call),
    StartReplicationType: serverless.startType,
    CdcStartPosition: task.cdcStartPosition,
    CdcStopPosition: task.cdcStopPosition,
    RecoveryCheckpoint: task.recoveryCheckpoint,
    ReplicationCreateTime: new Date(task.createdMs),
    ReplicationUpdateTime: new Date(Math.max(serverless.updatedMs, run?.startedMs ?? 0, run?.stoppedMs ?? 0)),
    ReplicationLastStopTime: date(run?.stoppedMs),
    ReplicationDeprovisionTime: isActive(task.status) ? undefined : date(run?.stoppedMs),
  };
}

function provisionData({ serverless, run, status }: ServerlessTask): ProvisionData {
  const { maxCapacityUnits } = serverless.compute;
  return isActive(status)
    ? {
        ProvisionState: "provisioned",
        ProvisionedCapacityUnits: maxCapacityUnits,
        DateProvisioned: date(run?.startedMs),
      }
    : { ProvisionState: "deprovisioned", ProvisionedCapacityUnits: 0 };
}

/**
 * AWS's names for where a replication is. One that never ran is `created`: Terraform's provider takes
 * `ready` for one that is to be stopped before it can go.
 */
function replicationStatus(task: ServerlessTask, call: Call): string {
  const { status } = task;
  if (status === "ready") return "created";
  if (status !== "starting") return status;
  if (!call.supervisor.hasWorkerFor(task)) return "provisioning_capacity";
  if (task.serverless.awaits !== undefined) return "fetching_metadata";
  return (
    startStatus[call.supervisor.ledger.liveProgress(task.arn)?.phase ?? "starting"] ?? "replication_starting"
  );
}

const startStatus: Readonly<Partial<Record<TaskPhase, string>>> = {
  starting: "testing_connection",
  assessing: "fetching_metadata",
};
