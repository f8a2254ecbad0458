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

export interface ReloadOptions extends TaskRunOptions {
  readonly table: readonly string[];
  readonly validateOnly: boolean;
}

/** As many as one request may name. */
const MOST_RELOADS = 10;

/** Loads named tables of a running task again, or without names the whole task; or only has them compared anew. */
export async function reloadTask(
  name: string,
  { options, output }: { readonly options: ReloadOptions; readonly output: Output },
): Promise<ExitCode> {
  const { table: tables, validateOnly } = options;
  if (tables.length === 0 && !validateOnly)
    return await startTask(name, "reload-target", { options, output });
  return await withApi(options, async (client) => {
    const { ReplicationTaskArn } = await findTask(client, name);
    const arn = ReplicationTaskArn ?? "";
    const chosen =
      tables.length === 0
        ? await listTableStatistics(client, arn)
        : await chosenTables(client, { name, arn, tables });
    for (let at = 0; at < chosen.length; at += MOST_RELOADS) {
      const part = chosen.slice(at, at + MOST_RELOADS);
      const TablesToReload = part.map(({ SchemaName, TableName }) => ({ SchemaName, TableName }));
      const ReloadOption = validateOnly ? "validate-only" : "data-reload";
      await client.send(new ReloadTablesCommand({ ReplicationTaskArn, TablesToReload, ReloadOption }));
    }
    if (!options.wait) return ExitCode.done;
    const how = validateOnly ? validated : reloaded;
    return await waitForTables(client, name, { before: chosen, how, options, output });
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

/** How it is seen that a table has been done, and that nothing is left to wish for, and in which word. */
interface TableWork {
  readonly isDone: (now: TableStatistics, before: TableStatistics) => boolean;
  readonly isGood: (now: TableStatistics) => boolean;
  readonly word: string;
}

/** Its load has another start than before, and an end. */
const reloaded: TableWork = {
  isDone: ({ TableState = "", FullLoadStartTime }, before) =>
    (TableState === "Table completed" || TableState === "Table error") &&
    FullLoadStartTime?.getTime() !== before.FullLoadStartTime?.getTime(),
  isGood: isWhole,
  word: "reloaded",
};

/**
 * The order itself makes it pending, and it is being prepared until it is compared whole. Records that are pending after that have
 * changed since: a table that is always written is never without.
 */
const validated: TableWork = {
  isDone: ({ ValidationState = "" }) => !/^(Pending (re)?validation|Preparing table)$/.test(ValidationState),
  // What could not be compared, or decided about, is not known to be equal.
  isGood: (table) => /^(Validated|Pending records)$/.test(table.ValidationState ?? "") && isWhole(table),
  word: "compared",
};

interface WaitingForTables extends TaskRunContext {
  readonly before: readonly TableStatistics[];
  readonly how: TableWork;
}

async function waitForTables(
  client: DatabaseMigrationServiceClient,
  name: string,
  { before, how, options, output }: WaitingForTables,
): Promise<ExitCode> {
  const done = (tables: readonly TableStatistics[]): readonly TableStatistics[] =>
    tables.filter((now) => {
      const then = before.find((table) => sameTable(table, now));
      return then !== undefined && how.isDone(now, then);
    });
  const tables = await waitUntil({
    output,
    quiet: options.json,
    poll: async () => {
      const { ReplicationTaskArn, Status } = await findTask(client, name);
      if (Status === "running") return await listTableStatistics(client, ReplicationTaskArn ?? "");
      throw new ReportedFault("task.not_running", `Task ${name} is ${Status}.`);
    },
    done: (now) => done(now).length === before.length,
    describe: (now) => `task ${name}: ${done(now).length} of ${before.length} tables ${how.word}`,
  });
  return done(tables).every(how.isGood) ? ExitCode.done : ExitCode.incomplete;
}

/** Whether all rows and changes of a table came, as far as is known; of changes that are left out the API tells in words. */
function isWhole(table: TableStatistics): boolean {
  const { TableState, ValidationFailedRecords = 0, ValidationStateDetails = "" } = table;
  const isLeftOut = ValidationStateDetails.startsWith("apply.rows_left_out:");
  return TableState !== "Table error" && ValidationFailedRecords === 0 && !isLeftOut;
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
