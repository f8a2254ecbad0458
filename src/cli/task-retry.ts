import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { withApi } from "./api-client.ts";
import { findTask } from "./api-resources.ts";
import { ExitCode } from "./exit-code.ts";
import { ReportedFault } from "./output.ts";
import { askOwn } from "./own-operation.ts";
import { type RetriedTable, retryText } from "./retry-text.ts";
import { chosenTables, type TaskRunContext } from "./task-run.ts";
import { printJson } from "./task-screens.ts";
import { waitUntil } from "./wait.ts";

/** What the API tells of a wish to try rows again (docs/api.md). */
interface ErrorRetry {
  readonly Number: number;
  readonly Status: "waiting" | "running" | "done" | "failed";
  readonly Failure?: string;
  readonly Tables: readonly RetriedTable[];
}

/** Has rows tried again that a task's target has refused; with --wait says what has become of them. */
export async function retryErrors(
  name: string,
  tables: readonly string[],
  context: TaskRunContext,
): Promise<ExitCode> {
  const { options, output } = context;
  return await withApi(options, async (client) => {
    const arn = (await findTask(client, name)).ReplicationTaskArn ?? "";
    const chosen = tables.length === 0 ? undefined : await chosenTables(client, { name, arn, tables });
    const Tables = chosen?.map(({ SchemaName, TableName }) => ({ SchemaName, TableName }));
    const asked = await askOwn<{ ErrorRetry: ErrorRetry }>(client, "TidewayRetryErrors", {
      Arn: arn,
      Tables,
    });
    if (!options.wait) {
      if (options.json) printJson(asked.ErrorRetry, output);
      return ExitCode.done;
    }
    const retry = await waitForRetry(client, { name, arn, number: asked.ErrorRetry.Number, context });
    if (options.json) printJson(retry, output);
    else output.stdout.write(retryText(retry.Tables));
    if (retry.Status === "failed") throw new ReportedFault("task.retry_failed", retry.Failure ?? "");
    return retry.Tables.some(({ Left }) => Left > 0) ? ExitCode.incomplete : ExitCode.done;
  });
}

interface Waiting {
  readonly name: string;
  readonly arn: string;
  readonly number: number;
  readonly context: TaskRunContext;
}

async function waitForRetry(
  client: DatabaseMigrationServiceClient,
  { name, arn, number, context: { options, output } }: Waiting,
): Promise<ErrorRetry> {
  const isOver = ({ Status }: ErrorRetry): boolean => Status === "done" || Status === "failed";
  return await waitUntil({
    output,
    quiet: options.json,
    poll: async () => {
      const { Status } = await findTask(client, name);
      const { ErrorRetry: retry } = await askOwn<{ ErrorRetry: ErrorRetry }>(
        client,
        "TidewayDescribeErrorRetry",
        {
          Arn: arn,
        },
      );
      if (retry.Number !== number)
        throw new ReportedFault("task.retry_failed", "Somebody has asked for another retry.");
      if (isOver(retry) || Status === "running" || Status === "starting") return retry;
      throw new ReportedFault(
        "task.not_running",
        `Task ${name} is ${Status}; rows are tried again when it is resumed.`,
      );
    },
    done: isOver,
    describe: ({ Tables }) => {
      const of = (member: "Recorded" | "Settled"): number =>
        Tables.reduce((sum, table) => sum + table[member], 0);
      return `task ${name}: ${of("Settled")} of ${of("Recorded")} recorded rows are settled`;
    },
  });
}
