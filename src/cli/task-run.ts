import {
  type DatabaseMigrationServiceClient,
  ReloadTablesCommand,
  type ReplicationTask,
  StartReplicationTaskCommand,
  StopReplicationTaskCommand,
  type TableStatistics,
} from "@aws-sdk/client-database-migration-service";
import { MigrationError } from "../core/error.ts";
import { type ApiOptions, withApi } from "./api-client.ts";
import { findTask, listTableStatistics } from "./api-resources.ts";
import { ExitCode } from "./exit-code.ts";
import { percent } from "./human.ts";
import { type Output, ReportedFault } from "./output.ts";
import { printJson } from "./task-screens.ts";
import { waitUntil } from "./wait.ts";

export interface TaskRunOptions extends ApiOptions {
  readonly wait: boolean;
}

export interface TaskRunContext {
  readonly options: TaskRunOptions;
  readonly output: Output;
}

type StartType = "start-replication" | "resume-processing" | "reload-target";

/** Starts a task; with --wait resolves when it has ended or, with cdc, replicates. */
export async function startTask(name: string, type: StartType, context: TaskRunContext): Promise<ExitCode> {
  return await withApi(context.options, async (client) => {
    const { ReplicationTaskArn } = await findTask(client, name);
    const started = await client.send(
      new StartReplicationTaskCommand({ ReplicationTaskArn, StartReplicationTaskType: type }),
    );
    if (context.options.wait) return await waitForTask(client, name, context);
    if (context.options.json) printJson(started.ReplicationTask, context.output);
    return ExitCode.done;
  });
}

/** Loads named tables of a running task again, or without names the whole task. */
export async function reloadTask(
  name: string,
  tables: readonly string[],
  context: TaskRunContext,
): Promise<ExitCode> {
  if (tables.length === 0) return await startTask(name, "reload-target", context);
  return await withApi(context.options, async (client) => {
    const { ReplicationTaskArn } = await findTask(client, name);
    const chosen = await chosenTables(client, { name, arn: ReplicationTaskArn ?? "", tables });
    const TablesToReload = chosen.map(({ SchemaName, TableName }) => ({ SchemaName, TableName }));
    await client.send(new ReloadTablesCommand({ ReplicationTaskArn, TablesToReload }));
    return context.options.wait
      ? await waitForReload(client, name, { before: chosen, ...context })
      : ExitCode.done;
  });
}

/** A task's tables by the names that people give them. */
export async function chosenTables(
  client: DatabaseMigrationServiceClient,
  { name, arn, tables }: { readonly name: string; readonly arn: string; readonly tables: readonly string[] },
): Promise<readonly TableStatistics[]> {
  const known = await listTableStatistics(client, arn);
  return tables.map((table) => {
    const match = known.find(({ SchemaName, TableName }) => `${SchemaName}.${TableName}` === table);
    if (match !== undefined) return match;
    throw new MigrationError("usage.invalid", {
      message: `The task has no table ${table}.`,
      remedy: `See its tables with tideway task tables ${name}.`,
    });
  });
}

/** A table has been loaded again when its load has another start than before, and an end. */
async function waitForReload(
  client: DatabaseMigrationServiceClient,
  name: string,
  { before, options, output }: TaskRunContext & { readonly before: readonly TableStatistics[] },
): Promise<ExitCode> {
  const settled = ["Table completed", "Table error"];
  const reloaded = (now: TableStatistics): boolean => {
    const then = before.find((table) => sameTable(table, now));
    if (then === undefined) return false;
    return (
      settled.includes(now.TableState ?? "") &&
      now.FullLoadStartTime?.getTime() !== then.FullLoadStartTime?.getTime()
    );
  };
  const tables = await waitUntil({
    output,
    quiet: options.json,
    poll: async () => {
      const { ReplicationTaskArn, Status } = await findTask(client, name);
      if (Status === "running") return await listTableStatistics(client, ReplicationTaskArn ?? "");
      throw new ReportedFault("task.not_running", `Task ${name} is ${Status}.`);
    },
    done: (now) => now.filter(reloaded).length === before.length,
    describe: (now) => `task ${name}: ${now.filter(reloaded).length} of ${before.length} tables reloaded`,
  });
  return tables.some((table) => reloaded(table) && !isWhole(table)) ? ExitCode.incomplete : ExitCode.done;
}

/** Whether all rows and changes of a table came; of changes that are left out the API tells in words. */
function isWhole({ TableState, ValidationStateDetails = "" }: TableStatistics): boolean {
  return TableState !== "Table error" && !ValidationStateDetails.startsWith("apply.rows_left_out:");
}

function sameTable(a: TableStatistics, b: TableStatistics): boolean {
  return a.SchemaName === b.SchemaName && a.TableName === b.TableName;
}

export async function stopTask(name: string, { options, output }: TaskRunContext): Promise<void> {
  await withApi(options, async (client) => {
    const { ReplicationTaskArn } = await findTask(client, name);
    await client.send(new StopReplicationTaskCommand({ ReplicationTaskArn }));
    if (!options.wait) return;
    await waitUntil({
      output,
      quiet: options.json,
      poll: () => findTask(client, name),
      done: (task) => task.Status === "stopped" || task.Status === "failed",
      describe: (task) => `task ${name}: ${task.Status}`,
    });
  });
}

async function waitForTask(
  client: DatabaseMigrationServiceClient,
  name: string,
  { options, output }: TaskRunContext,
): Promise<ExitCode> {
  const task = await waitUntil({
    output,
    quiet: options.json,
    poll: () => findTask(client, name),
    done: isSettled,
    describe: (state) => describeTask(name, state),
  });
  if (options.json) printJson(task, output);
  if (task.Status === "failed") {
    throw new ReportedFault("task.failed", task.LastFailureMessage ?? `Task ${name} failed.`);
  }
  const tables = await listTableStatistics(client, task.ReplicationTaskArn ?? "");
  return tables.every(isWhole) ? ExitCode.done : ExitCode.incomplete;
}

/** Ended, or, for a task without an end, past its full load. */
function isSettled(task: ReplicationTask): boolean {
  if (task.Status === "stopped" || task.Status === "failed" || task.Status === "ready") return true;
  if (task.Status !== "running" || task.MigrationType === "full-load") return false;
  if (task.MigrationType === "cdc") return true;
  const stats = task.ReplicationTaskStats ?? {};
  const pending = (stats.TablesLoading ?? 0) + (stats.TablesQueued ?? 0);
  return stats.FullLoadProgressPercent === 100 && pending === 0;
}

function describeTask(name: string, task: ReplicationTask): string {
  const stats = task.ReplicationTaskStats;
  const parts = [`task ${name}: ${task.Status}`];
  if (stats !== undefined && task.MigrationType !== "cdc") {
    parts.push(`full load ${percent(stats.FullLoadProgressPercent ?? 0)}`);
    parts.push(
      `${stats.TablesLoaded ?? 0} tables loaded, ${stats.TablesLoading ?? 0} loading, ${stats.TablesQueued ?? 0} waiting`,
    );
    if ((stats.TablesErrored ?? 0) > 0) parts.push(`${stats.TablesErrored} with errors`);
  }
  return parts.join(", ");
}
