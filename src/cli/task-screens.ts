import type { ReplicationTask, TableStatistics } from "@aws-sdk/client-database-migration-service";
import { type ApiOptions, withApi } from "./api-client.ts";
import { findTask, listTableStatistics, listTasks } from "./api-resources.ts";
import { count, percent, things } from "./human.ts";
import { type Output, textFields, textTable } from "./output.ts";
import { differText } from "./table-validation.ts";

/** What `tideway task list`, `show` and `tables` print. */

export async function listTasksText(options: ApiOptions, output: Output): Promise<void> {
  const tasks = await withApi(options, (client) => listTasks(client));
  if (options.json) {
    printJson(tasks, output);
    return;
  }
  const rows = tasks.map((task) => [
    task.ReplicationTaskIdentifier ?? "",
    task.MigrationType ?? "",
    task.Status ?? "",
    percent(task.ReplicationTaskStats?.FullLoadProgressPercent ?? 0),
    count(task.ReplicationTaskStats?.TablesErrored ?? 0),
    reason(task),
  ]);
  output.stdout.write(
    textTable(
      [
        { title: "TASK" },
        { title: "TYPE" },
        { title: "STATUS" },
        { title: "LOADED", align: "right" },
        { title: "TABLE ERRORS", align: "right" },
        { title: "STOPPED BECAUSE" },
      ],
      rows,
    ),
  );
}

export async function showTask(name: string, options: ApiOptions, output: Output): Promise<void> {
  const { task, validation } = await withApi(options, async (client) => {
    const found = await findTask(client, name);
    const tables = options.json ? [] : await listTableStatistics(client, found.ReplicationTaskArn ?? "");
    return { task: found, validation: validationText(tables) };
  });
  printTask(task, options, output, validation);
}

/** `validation`: what is known of the rows of its tables. */
export function printTask(
  task: ReplicationTask,
  options: ApiOptions,
  output: Output,
  validation?: string,
): void {
  if (options.json) {
    printJson(task, output);
    return;
  }
  const stats = task.ReplicationTaskStats ?? {};
  const tables = `${stats.TablesLoaded ?? 0} loaded, ${stats.TablesLoading ?? 0} loading, ${stats.TablesQueued ?? 0} waiting, ${stats.TablesErrored ?? 0} with errors`;
  const fields: [string, string | undefined][] = [
    ["task", task.ReplicationTaskIdentifier],
    ["type", task.MigrationType],
    ["status", task.Status],
    ["stopped because", reason(task)],
    ["last failure", task.LastFailureMessage],
    ["full load", percent(stats.FullLoadProgressPercent ?? 0)],
    ["tables", tables],
    ["validation", validation],
    ["recovery checkpoint", task.RecoveryCheckpoint],
    ["arn", task.ReplicationTaskArn],
  ];
  output.stdout.write(
    textFields(
      fields.filter((field): field is [string, string] => field[1] !== undefined && field[1] !== ""),
    ),
  );
}

export async function showTables(name: string, options: ApiOptions, output: Output): Promise<void> {
  const tables = await withApi(options, async (client) => {
    const task = await findTask(client, name);
    return await listTableStatistics(client, task.ReplicationTaskArn ?? "");
  });
  if (options.json) printJson(tables, output);
  else output.stdout.write(tablesText(tables) + tableDetailsText(tables));
}

/** What the API says of tables beside their numbers: why one was set aside, or what of it was left out. */
function tableDetailsText(tables: readonly TableStatistics[]): string {
  return tables
    .filter(({ ValidationStateDetails = "" }) => ValidationStateDetails !== "")
    .map((table) => `\n${table.SchemaName}.${table.TableName}: ${table.ValidationStateDetails}\n`)
    .join("");
}

function tablesText(tables: readonly TableStatistics[]): string {
  const isValidated = tables.some(wasValidated);
  const words = ["TABLE", "STATE", ...(isValidated ? ["VALIDATION"] : [])];
  const numbers = ["ROWS", "INSERTS", "UPDATES", "DELETES", "ERROR ROWS"];
  if (isValidated) numbers.push("DIFFERING", "PENDING");
  return textTable(
    [...words.map((title) => ({ title })), ...numbers.map((title) => ({ title, align: "right" as const }))],
    tables.map((table) => [
      `${table.SchemaName}.${table.TableName}`,
      table.TableState ?? "",
      ...(isValidated ? [table.ValidationState ?? ""] : []),
      count(table.FullLoadRows ?? 0),
      count(table.AppliedInserts ?? table.Inserts ?? 0),
      count(table.AppliedUpdates ?? table.Updates ?? 0),
      count(table.AppliedDeletes ?? table.Deletes ?? 0),
      count(table.FullLoadErrorRows ?? 0),
      ...(isValidated
        ? [count(table.ValidationFailedRecords ?? 0), count(table.ValidationPendingRecords ?? 0)]
        : []),
    ]),
  );
}

function wasValidated({ ValidationState = "Not enabled" }: TableStatistics): boolean {
  return ValidationState !== "Not enabled";
}

/** How many tables are in which state, and how many rows differ; undefined for a task that does not compare. */
function validationText(tables: readonly TableStatistics[]): string | undefined {
  const validated = tables.filter(wasValidated);
  if (validated.length === 0) return undefined;
  const states = Map.groupBy(validated, ({ ValidationState = "" }) => ValidationState.toLowerCase());
  const rows = validated.reduce((sum, table) => sum + (table.ValidationFailedRecords ?? 0), 0);
  const parts = [...states].map(([state, ofState]) => `${things(ofState.length, "table")} ${state}`);
  return [...parts, ...(rows > 0 ? [differText(rows)] : [])].join(", ");
}

export function printJson(value: unknown, output: Output): void {
  output.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

function reason(task: ReplicationTask): string {
  return (task.StopReason ?? "").replace(/^Stop Reason /, "");
}
