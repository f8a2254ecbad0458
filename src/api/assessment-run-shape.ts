import type {
  PremigrationAssessmentStatus,
  ReplicationTaskAssessmentRun,
  ReplicationTaskIndividualAssessment,
} from "@aws-sdk/client-database-migration-service";
import type { AssessmentRunRecord } from "../task/records.ts";

/** A run as the API shows it; `runs` are those of its task at least. */
export function runShape(
  record: AssessmentRunRecord,
  runs: readonly AssessmentRunRecord[],
): ReplicationTaskAssessmentRun {
  const { names } = record;
  const states = names.map((name) => individualStatus(record, name));
  const count = (status: string): number => states.filter((one) => one === status).length;
  return {
    ReplicationTaskAssessmentRunArn: record.arn,
    ReplicationTaskArn: record.taskArn,
    Status: record.status,
    ReplicationTaskAssessmentRunCreationDate: new Date(record.createdMs),
    AssessmentProgress: {
      IndividualAssessmentCount: names.length,
      IndividualAssessmentCompletedCount: isUnderWay(record) ? 0 : names.length,
    },
    LastFailureMessage: record.failure,
    ServiceAccessRoleArn: record.serviceAccessRoleArn,
    ResultLocationBucket: record.resultLocationBucket,
    ResultLocationFolder: record.resultLocationFolder,
    ResultEncryptionMode: record.resultEncryptionMode,
    ResultKmsKeyArn: record.resultKmsKeyArn,
    AssessmentRunName: record.name,
    IsLatestTaskAssessmentRun: newestOf(record.taskArn, runs)?.arn === record.arn,
    ResultStatistic: {
      Passed: count("passed"),
      Failed: count("failed"),
      Error: count("error"),
      Warning: count("warning"),
      Cancelled: count("cancelled"),
      Skipped: count("skipped"),
    },
  };
}

/** A run that a serverless replication was started with, as that one shows it. */
export function premigrationShape(record: AssessmentRunRecord): PremigrationAssessmentStatus {
  const {
    ReplicationTaskAssessmentRunArn: arn,
    ReplicationTaskAssessmentRunCreationDate: created,
    ...shape
  } = runShape(record, []);
  return {
    PremigrationAssessmentRunArn: arn,
    FailOnAssessmentFailure: record.failsStart,
    Status: shape.Status,
    PremigrationAssessmentRunCreationDate: created,
    AssessmentProgress: shape.AssessmentProgress,
    LastFailureMessage: lastFailure(record),
    ResultLocationBucket: shape.ResultLocationBucket,
    ResultLocationFolder: shape.ResultLocationFolder,
    ResultEncryptionMode: shape.ResultEncryptionMode,
    ResultKmsKeyArn: shape.ResultKmsKeyArn,
    ResultStatistic: shape.ResultStatistic,
  };
}

/** Why a run has not passed, in a sentence; undefined for one that has, or is under way. */
export function lastFailure({ failure, results, status }: AssessmentRunRecord): string | undefined {
  if (failure !== undefined) return failure;
  if (status === "cancelling") return "It was cancelled.";
  const failed = results.findLast((result) => result.status === "failed");
  const error = failed?.findings.findLast(({ severity }) => severity === "error");
  return error && `${error.code} (${error.subject}): ${error.message}`;
}

export function individualShape(
  record: AssessmentRunRecord,
  name: string,
): ReplicationTaskIndividualAssessment {
  const place = record.names.indexOf(name) + 1;
  return {
    // A run's are numbered after it: they come and go with it.
    ReplicationTaskIndividualAssessmentArn: `${record.arn.replace(":assessment-run:", ":individual-assessment:")}${place}`,
    ReplicationTaskAssessmentRunArn: record.arn,
    IndividualAssessmentName: name,
    Status: individualStatus(record, name),
    ReplicationTaskIndividualAssessmentStartDate: new Date(record.createdMs),
  };
}

function individualStatus({ status, results }: AssessmentRunRecord, name: string): string {
  if (status === "cancelling") return "cancelled";
  if (status === "error-executing") return "error";
  return results.find((result) => result.name === name)?.status ?? "running";
}

export function isUnderWay({ status }: AssessmentRunRecord): boolean {
  return status === "running";
}

/** Of those that list() has, the oldest first. */
export function newestOf(
  taskArn: string,
  runs: readonly AssessmentRunRecord[],
): AssessmentRunRecord | undefined {
  return runs.findLast((run) => run.taskArn === taskArn);
}
