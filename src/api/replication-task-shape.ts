import type { ReplicationTask, ReplicationTaskStats } from "@aws-sdk/client-database-migration-service";
import type { TaskRecord } from "../task/records.ts";
import { taskStats } from "../task/task-stats.ts";
import type { Call } from "./service.ts";

/** A task as the API shows it. The numbers of a running task are the newest that are known. */
export function taskShape(
  record: TaskRecord,
  call: Call,
  options: { readonly withoutSettings?: boolean | undefined } = {},
): ReplicationTask {
  return {
    ReplicationTaskIdentifier: record.identifier,
    SourceEndpointArn: record.sourceArn,
    TargetEndpointArn: record.targetArn,
    ReplicationInstanceArn: record.instanceArn,
    MigrationType: record.migrationType,
    TableMappings: record.tableMappings,
    ReplicationTaskSettings: options.withoutSettings ? undefined : record.settings,
    Status: record.status,
    LastFailureMessage: record.failure,
    StopReason: record.stopReason,
    ReplicationTaskCreationDate: new Date(record.createdMs),
    ReplicationTaskStartDate: date(record.run?.startedMs),
    CdcStartPosition: record.cdcStartPosition,
    CdcStopPosition: record.cdcStopPosition,
    RecoveryCheckpoint: record.recoveryCheckpoint,
    ReplicationTaskArn: record.arn,
    ReplicationTaskStats: statsShape(record, call),
    TaskData: record.taskData,
  };
}

/** The same members for a task and for a serverless replication. */
export function statsShape(record: TaskRecord, call: Call): ReplicationTaskStats | undefined {
  const { run } = record;
  if (run === undefined) return undefined;
  const progress = call.supervisor.ledger.liveProgress(record.arn);
  const stats = progress === undefined ? record.stats : taskStats(progress);
  return {
    FullLoadProgressPercent: stats?.fullLoadPercent ?? 0,
    ElapsedTimeMillis: Math.max(0, (run.stoppedMs ?? Date.now()) - run.startedMs),
    TablesLoaded: stats?.tablesLoaded ?? 0,
    TablesLoading: stats?.tablesLoading ?? 0,
    TablesQueued: stats?.tablesQueued ?? 0,
    TablesErrored: stats?.tablesErrored ?? 0,
    FreshStartDate: new Date(run.freshMs),
    StartDate: new Date(run.startedMs),
    StopDate: date(run.stoppedMs),
    FullLoadStartDate: date(stats?.fullLoadStartMs),
    FullLoadFinishDate: date(stats?.fullLoadEndMs),
  };
}

export function date(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
