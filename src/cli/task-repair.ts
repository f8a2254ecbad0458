import type {
  DatabaseMigrationServiceClient,
  TableStatistics,
} from "@aws-sdk/client-database-migration-service";
import { withApi } from "./api-client.ts";
import { findTask, listTableStatistics } from "./api-resources.ts";
import { ExitCode } from "./exit-code.ts";
import { ReportedFault } from "./output.ts";
import { askOwn } from "./own-operation.ts";
import { foundText, type RepairedTable, repairedText, uncomparedText } from "./repair-text.ts";
import { chosenTables, type TaskRunContext, type TaskRunOptions } from "./task-run.ts";
import { printJson } from "./task-screens.ts";
import { type ToldWish, type WishWords, waitForWish } from "./wait-for-wish.ts";

export interface TaskRepairOptions extends TaskRunOptions {
  readonly table: readonly string[];
  readonly yes: boolean;
}

interface RowRepair extends ToldWish {
  readonly Tables: readonly RepairedTable[];
}

const WORDS: WishWords = {
  code: "task.repair_failed",
  done: "repaired",
  another: "Somebody has asked for another repair, or for a retry.",
  waits: "until its tables are compared",
};

/**
 * Has a task bring the rows that its validation has recorded as different. Without --yes it only says what there is to
 * repair; with --yes and --wait it says what has become of them.
 */
export async function repairTask(
  name: string,
  { options, output }: { readonly options: TaskRepairOptions; readonly output: TaskRunContext["output"] },
): Promise<ExitCode> {
  const { table: tables, yes, wait, json } = options;
  return await withApi(options, async (client) => {
    const arn = (await findTask(client, name)).ReplicationTaskArn ?? "";
    const chosen = tables.length === 0 ? undefined : await chosenTables(client, { name, arn, tables });
    const Tables = chosen?.map(({ SchemaName, TableName }) => ({ SchemaName, TableName }));
    const wish = { Arn: arn, Tables, DryRun: !yes };
    const asked = await askOwn<{ RowRepair: RowRepair }>(client, "TidewayRepairRows", wish);
    if (yes && !wait) {
      if (json) printJson(asked.RowRepair, output);
      return ExitCode.done;
    }
    const ask = async (): Promise<RowRepair | undefined> => {
      const told = await askOwn<{ RowRepair?: RowRepair }>(client, "TidewayDescribeRowRepair", { Arn: arn });
      return told.RowRepair;
    };
    const number = asked.RowRepair.Number;
    const quiet = { ...options, json: json || !yes };
    const repair = await waitForWish(client, { name, number, ask, words: WORDS, options: quiet, output });
    if (json) printJson(repair, output);
    if (repair.Status === "failed") throw new ReportedFault("task.repair_failed", repair.Failure ?? "");
    const open = await notEqual(client, { arn, named: chosen, repair });
    if (!json) {
      output.stdout.write(yes ? repairedText(repair.Tables) : foundText(repair.Tables));
      output.stdout.write(uncomparedText(open));
    }
    const isLeft = repair.Tables.some(({ Left }) => Left > 0);
    return isLeft || open.length > 0 ? ExitCode.incomplete : ExitCode.done;
  });
}

interface Repaired {
  readonly arn: string;
  readonly named: readonly TableStatistics[] | undefined;
  readonly repair: RowRepair;
}

/** Those of the tables, or of all, that no rows are recorded of and that are not known to be equal all the same. */
async function notEqual(
  client: DatabaseMigrationServiceClient,
  { arn, named, repair }: Repaired,
): Promise<readonly TableStatistics[]> {
  const isSame = (a: TableStatistics, b: Partial<RepairedTable>): boolean =>
    a.SchemaName === b.SchemaName && a.TableName === b.TableName;
  const wanted = (await listTableStatistics(client, arn)).filter(
    (table) =>
      named === undefined ||
      named.some(({ SchemaName = "", TableName = "" }) => isSame(table, { SchemaName, TableName })),
  );
  return wanted.filter((table) => {
    const isTold = repair.Tables.some((told) => told.Left > 0 && isSame(table, told));
    return !isTold && !isEqual(table);
  });
}

/** Rows that are written all the time wait for their turn again and again: what was recorded has been compared. */
function isEqual({ ValidationState = "" }: TableStatistics): boolean {
  return ValidationState === "Validated" || ValidationState === "Pending records";
}
