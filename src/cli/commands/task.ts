import type { Command } from "commander";
import { type ApiOptions, withApiOptions } from "../api-client.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Output } from "../output.ts";
import { assessTask } from "../task-assess.ts";
import { createTask, deleteTask, type TaskCreateOptions } from "../task-lifecycle.ts";
import { repairTask, type TaskRepairOptions } from "../task-repair.ts";
import { retryErrors } from "../task-retry.ts";
import { type ReloadOptions, reloadTask, startTask, stopTask, type TaskRunOptions } from "../task-run.ts";
import { listTasksText, showTables, showTask } from "../task-screens.ts";
import { collect, passOverOption, withWhatToMove } from "../what-to-move.ts";

const HELP = `
Examples:
  tideway task create move-shop --source old-shop --target new-shop --type full-load-and-cdc \\
      --include 'shop.*'
  tideway task start move-shop --wait
  tideway task tables move-shop`;

export function taskCommand(program: Command, output: Output, exit: (code: ExitCode) => void): void {
  const group = program
    .command("task")
    .description("Replication tasks of a server.")
    .addHelpText("after", HELP);
  const one = (name: string, description: string): Command =>
    withApiOptions(group.command(name).description(description).argument("<name>", "identifier or ARN"));
  const waiting = (command: Command, until: string): Command => command.option("--wait", until, false);
  withApiOptions(group.command("list").description("List them.")).action((options: ApiOptions) =>
    listTasksText(options, output),
  );
  one("show", "Show one.").action((name: string, options: ApiOptions) => showTask(name, options, output));
  one("tables", "Show a task's tables.").action((name: string, options: ApiOptions) =>
    showTables(name, options, output),
  );
  createOptions(withApiOptions(group.command("create").description("Create one.")))
    .addHelpText("after", HELP)
    .action((name: string, options: TaskCreateOptions) => createTask(name, options, output));
  const untilLoaded = "until it has ended, or with cdc until it replicates";
  waiting(one("start", "Start one for the first time."), untilLoaded).action(
    async (name: string, options: TaskRunOptions) =>
      exit(await startTask(name, "start-replication", { options, output })),
  );
  waiting(one("resume", "Go on where it stopped."), untilLoaded).action(
    async (name: string, options: TaskRunOptions) =>
      exit(await startTask(name, "resume-processing", { options, output })),
  );
  waiting(one("reload", "Load everything again, or single tables of a running task."), untilLoaded)
    .option("--table <schema.table>", "only this table; repeatable", collect, [])
    .option("--validate-only", "only compare the rows anew, of a running task that compares", false)
    .action(async (name: string, options: ReloadOptions) =>
      exit(await reloadTask(name, { options, output })),
    );
  waiting(one("retry-errors", "Try rows again that the target has refused."), "until all were tried")
    .option("--table <schema.table>", "only those of this table; repeatable", collect, [])
    .action(async (name: string, options: TaskRunOptions & { readonly table: readonly string[] }) =>
      exit(await retryErrors(name, options.table, { options, output })),
    );
  waiting(
    one("repair", "Bring the rows that its validation has found to differ; without --yes say which."),
    "until they have been compared again",
  )
    .option("--table <schema.table>", "only those of this table; repeatable", collect, [])
    .option("--yes", "change the target's rows", false)
    .action(async (name: string, options: TaskRepairOptions) =>
      exit(await repairTask(name, { options, output })),
    );
  one("assess", "Say what one would meet if it were started.").action(
    async (name: string, options: ApiOptions) => exit(await assessTask(name, { options, output })),
  );
  waiting(one("stop", "Stop one in order."), "until it has stopped").action(
    (name: string, options: TaskRunOptions) => stopTask(name, { options, output }),
  );
  waiting(one("delete", "Delete one that does not run."), "until it is gone").action(
    (name: string, options: TaskRunOptions) => deleteTask(name, { options, output }),
  );
}

function createOptions(command: Command): Command {
  const described = command
    .argument("<name>", "identifier: letters, digits and hyphens")
    .requiredOption("--source <endpoint>", "identifier or ARN of the source endpoint")
    .requiredOption("--target <endpoint>", "identifier or ARN of the target endpoint")
    .option("--instance <name>", "replication instance; not needed when there is one only");
  return withWhatToMove(described)
    .addOption(passOverOption())
    .option("--cdc-start-position <position>", "with --type cdc: replicate what was committed after this")
    .option("--cdc-stop-position <position>", "stop there");
}
