import { withApi } from "./api-client.ts";
import { findTask } from "./api-resources.ts";
import { ExitCode } from "./exit-code.ts";
import { ReportedFault } from "./output.ts";
import { askOwn } from "./own-operation.ts";
import { type RetriedTable, retryText } from "./retry-text.ts";
import { chosenTables, type TaskRunContext } from "./task-run.ts";
import { printJson } from "./task-screens.ts";
import { type ToldWish, type WishWords, waitForWish } from "./wait-for-wish.ts";

interface ErrorRetry extends ToldWish {
  readonly Tables: readonly RetriedTable[];
}

const WORDS: WishWords = {
  code: "task.retry_failed",
  done: "tried again",
  another: "Somebody has asked for another retry.",
  waits: "until it replicates",
};

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
    const ask = async (): Promise<ErrorRetry | undefined> => {
      const told = await askOwn<{ ErrorRetry?: ErrorRetry }>(client, "TidewayDescribeErrorRetry", {
        Arn: arn,
      });
      return told.ErrorRetry;
    };
    const number = asked.ErrorRetry.Number;
    const retry = await waitForWish(client, { name, number, ask, words: WORDS, ...context });
    if (options.json) printJson(retry, output);
    else if (retry.Status === "done") output.stdout.write(retryText(retry.Tables));
    if (retry.Status === "failed") throw new ReportedFault("task.retry_failed", retry.Failure ?? "");
    return retry.Tables.some(({ Left }) => Left > 0) ? ExitCode.incomplete : ExitCode.done;
  });
}
