import type { Command } from "commander";
import type { EndpointConfig, Engine } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { Leftover } from "../../core/leftover.ts";
import { ExitCode } from "../exit-code.ts";
import { engineOf } from "../migrate-spec.ts";
import { endpointLabel, type Output, textTable } from "../output.ts";
import { collect } from "../what-to-move.ts";

const HELP = `
Examples:
  tideway cleanup --dry-run "$OLD" "$NEW"
  tideway cleanup --task migrate_0123456789ab "$OLD" "$NEW"

Lists replication slots, publications, replication origins and control tables that tasks of this or
another Tideway have left in databases, and removes those of the tasks that are named, or of all with
--all. A task that is only stopped loses its place: it has to load everything again. Migrated tables and
rows stay. What somebody works with now is not removed. A password that is not in the URL is taken from
TIDEWAY_SOURCE_PASSWORD.

Exit codes: 0 done, 1 failed or something is in use, 2 wrong usage.`;

interface CleanupOptions {
  readonly dryRun: boolean;
  readonly task: readonly string[];
  readonly all: boolean;
  readonly json: boolean;
}

interface Found {
  readonly engine: Engine;
  readonly endpoint: EndpointConfig;
  readonly leftover: Leftover;
}

export function cleanupCommand(program: Command, output: Output, exit: (code: ExitCode) => void): void {
  program
    .command("cleanup")
    .description("Remove what tasks have left in databases.")
    .argument("<url...>", "databases that were a source or a target")
    .option("--dry-run", "only list", false)
    .option("--task <id>", "remove what this task has left; repeatable", collect, [])
    .option("--all", "remove what all tasks have left, and the control tables", false)
    .option("--json", "one line of JSON for each", false)
    .addHelpText("after", HELP)
    .action(async (urls: readonly string[], options: CleanupOptions) => {
      exit(await cleanup(urls, options, output));
    });
}

async function cleanup(urls: readonly string[], options: CleanupOptions, output: Output): Promise<ExitCode> {
  if (!options.dryRun && !options.all && options.task.length === 0) {
    throw new MigrationError("usage.invalid", {
      message: "It is not said what is to be removed.",
      remedy: "Add --dry-run to see what there is, --task with a task's id, or --all.",
    });
  }
  const found = await findAll(urls);
  const chosen = found.filter(
    ({ leftover: { taskId } }) => options.all || (taskId !== undefined && options.task.includes(taskId)),
  );
  const listed = options.all || options.task.length > 0 ? chosen : found;
  if (options.dryRun) {
    list(listed, options, output);
    return ExitCode.done;
  }
  const free = chosen.filter(({ leftover }) => !leftover.inUse);
  if (!options.json) {
    output.stdout.write(free.length === 0 ? "There is nothing to remove.\n" : "Removing:\n");
    if (free.length > 0) list(free, options, output);
  }
  for (const { engine, endpoint, leftover } of free) {
    await engine.removeLeftover(endpoint, leftover, new AbortController().signal);
    if (options.json) output.stdout.write(`${jsonLine({ endpoint, leftover }, "removed")}\n`);
  }
  return tellOfRest(chosen, options, output);
}

async function findAll(urls: readonly string[]): Promise<Found[]> {
  const { registry } = await import("../../server/engines.ts");
  const password = process.env["TIDEWAY_SOURCE_PASSWORD"];
  const found: Found[] = [];
  for (const url of urls) {
    const engine = engineOf(url, "database", registry);
    const config = engine.parseUrl(url);
    const endpoint =
      config.password === undefined && password !== undefined ? { ...config, password } : config;
    const leftovers = await engine.findLeftovers(endpoint, new AbortController().signal);
    found.push(...leftovers.map((leftover) => ({ engine, endpoint, leftover })));
  }
  return found;
}

function list(found: readonly Found[], { json }: CleanupOptions, output: Output): void {
  if (json) {
    for (const one of found) output.stdout.write(`${jsonLine(one, "found")}\n`);
    return;
  }
  if (found.length === 0) {
    output.stdout.write("There is nothing.\n");
    return;
  }
  const columns = ["DATABASE", "KIND", "NAME", "TASK", "STATE", "HOLDS"].map((title) => ({ title }));
  const rows = found.map(({ endpoint, leftover }) => [
    endpointLabel(endpoint),
    leftover.kind,
    leftover.name,
    leftover.taskId ?? "",
    leftover.inUse ? "in use" : "idle",
    leftover.detail,
  ]);
  output.stdout.write(textTable(columns, rows));
}

/** What is in use is left, and said. */
function tellOfRest(chosen: readonly Found[], options: CleanupOptions, output: Output): ExitCode {
  const rest = chosen.filter(({ leftover }) => leftover.inUse);
  if (rest.length === 0) {
    if (!options.json) output.stdout.write("Done.\n");
    return ExitCode.done;
  }
  if (options.json) for (const one of rest) output.stdout.write(`${jsonLine(one, "in-use")}\n`);
  else output.stdout.write("In use, and left: stop the tasks first.\n");
  if (!options.json) list(rest, options, output);
  return ExitCode.failed;
}

function jsonLine({ endpoint, leftover }: Pick<Found, "endpoint" | "leftover">, event: string): string {
  return JSON.stringify({ event, database: endpointLabel(endpoint), ...leftover });
}
