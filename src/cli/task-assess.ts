import {
  DescribeReplicationTaskAssessmentRunsCommand,
  type ReplicationTaskAssessmentRun,
  StartReplicationTaskAssessmentRunCommand,
} from "@aws-sdk/client-database-migration-service";
import { type ApiOptions, withApi } from "./api-client.ts";
import { findTask } from "./api-resources.ts";
import { ExitCode } from "./exit-code.ts";
import { findingsText, type ToldFinding } from "./findings-text.ts";
import { type Output, paintFor, ReportedFault } from "./output.ts";
import { askOwn } from "./own-operation.ts";
import { printJson } from "./task-screens.ts";
import { waitUntil } from "./wait.ts";

/** What the API tells of a run that has ended (docs/api.md). */
interface AssessmentAnswer {
  readonly Status: string;
  readonly Findings: readonly FindingAnswer[];
}

interface FindingAnswer {
  readonly Code: string;
  readonly Severity: ToldFinding["severity"];
  readonly Subject: string;
  readonly Message: string;
  readonly Remedy: string;
  readonly IfIgnored: string;
}

/** The bucket and the role that a run has to name mean nothing here. */
const NOWHERE = { ServiceAccessRoleArn: "none", ResultLocationBucket: "none" };

/** Has a task assessed by its instance, waits for that, and shows what was found. */
export async function assessTask(
  name: string,
  { options, output }: { readonly options: ApiOptions; readonly output: Output },
): Promise<ExitCode> {
  return await withApi(options, async (client) => {
    const { ReplicationTaskArn } = await findTask(client, name);
    const AssessmentRunName = `tideway-${new Date().toISOString()}`;
    const { ReplicationTaskAssessmentRun: begun } = await client.send(
      new StartReplicationTaskAssessmentRunCommand({ ReplicationTaskArn, AssessmentRunName, ...NOWHERE }),
    );
    const arn = begun?.ReplicationTaskAssessmentRunArn ?? "";
    const Filters = [{ Name: "replication-task-assessment-run-arn", Values: [arn] }];
    const run = await waitUntil<ReplicationTaskAssessmentRun>({
      output,
      quiet: options.json,
      poll: async () => {
        const command = new DescribeReplicationTaskAssessmentRunsCommand({ Filters });
        return (await client.send(command)).ReplicationTaskAssessmentRuns?.[0] ?? {};
      },
      done: ({ Status }) => Status !== "running",
      describe: ({ Status }) => `${name}: assessment ${Status ?? "gone"}`,
    });
    if (run.LastFailureMessage !== undefined) {
      throw new ReportedFault("task.assessment_failed", run.LastFailureMessage);
    }
    if (run.Status === "cancelling") {
      throw new ReportedFault("task.assessment_cancelled", "Somebody has cancelled the assessment.");
    }
    const answer = await askOwn<AssessmentAnswer>(client, "TidewayDescribeAssessment", { Arn: arn });
    const text = findingsText(distinct(answer.Findings), paintFor(output.stdout));
    if (options.json) printJson(answer, output);
    else output.stdout.write(`${text}${name}: ${answer.Status}\n`);
    return answer.Status === "failed" ? ExitCode.incomplete : ExitCode.done;
  });
}

/** One finding may make several individual assessments fail. */
function distinct(findings: readonly FindingAnswer[]): readonly ToldFinding[] {
  const byWords = new Map(findings.map((one) => [JSON.stringify([one.Code, one.Subject, one.Message]), one]));
  return [...byWords.values()].map(({ Code, Severity, Subject, Message, Remedy, IfIgnored }) => ({
    ...{
      code: Code,
      severity: Severity,
      subject: Subject,
      message: Message,
      remedy: Remedy,
      ifIgnored: IfIgnored,
    },
  }));
}
