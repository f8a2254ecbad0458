import type { Command } from "commander";
import { MigrationError } from "../../core/error.ts";
import type { RunningTask, StartMode, TaskOutcome, TaskProgress, TaskSpec } from "../../task/task.ts";
import { ExitCode } from "../exit-code.ts";
import { onInterrupt } from "../interrupts.ts";
import { JsonDisplay } from "../json-display.ts";
import { type MigrateOptions, migrateSpec } from "../migrate-spec.ts";
import { migrateSummary } from "../migrate-summary.ts";
import { endpointLabel, type Output } from "../output.ts";
import { progressTotals } from "../progress-rates.ts";
import { defaultDataDir, type HeldRun, holdRun } from "../run-record.ts";
import { isEqual, validationTally } from "../table-validation.ts";
import { type TaskDisplay, taskDisplay } from "../task-display.ts";
import { printable } from "../text-width.ts";
import { passOverOption, prepModeOption, withWhatToMove } from "../what-to-move.ts";

const HELP = `
Examples:
  tideway migrate postgresql://me:secret@old/shop postgresql://me:secret@new/shop
  tideway migrate mysql://me:secret@old/shop postgresql://me:secret@new/shop
  tideway migrate --type full-load-and-cdc --until-caught-up \\
      --include 'sales.*' --exclude 'sales.tmp*' "$OLD" "$NEW"

Patterns are schema.table, where * stands for any characters and ? for one; a name that holds a dot
goes between double quotes. Without --include every table of every schema is migrated. MySQL's databases
are schemas here: a URL that names one takes that one, else all of the server's.
An error of the assessment that a server may know better is passed over with --pass-over; docs/reference/errors.md says
which may be, and what happens then.
A password that is not in the URL is taken from TIDEWAY_SOURCE_PASSWORD or TIDEWAY_TARGET_PASSWORD.

Ctrl-C stops in order and the same command resumes; pressed twice it ends at once, which is safe too.
A task with cdc keeps a replication slot on a PostgreSQL source between its runs; --end removes it.

Exit codes: 0 done, 1 failed or stopped before the end, 2 wrong usage, 3 finished with tables suspended or lacking
something, rows left out, or with --validate rows that differ or were not compared.`;

export function migrateCommand(program: Command, output: Output, exit: (code: ExitCode) => void): void {
  const command = program
    .command("migrate")
    .description("Move a database: full load, changes, or both. No server needed.")
    .argument("<source-url>", "where the data is, such as postgresql://user:password@host:5432/database")
    .argument("<target-url>", "where it goes");
  withWhatToMove(command)
    .addOption(prepModeOption("what to do with tables that are on the target"))
    .addOption(passOverOption())
    .option("--validate", "compare the rows of both sides, once they are loaded and as changes come", false)
    .option("--until-caught-up", "with cdc: stop once the target has every change", false)
    .option("--cdc-start-position <position>", "with --type cdc: replicate what was committed after this")
    .option("--cdc-stop-position <position>", "stop there: a position, server_time:... or commit_time:...")
    .option("--fresh", "forget an earlier run and load everything again", false)
    .option(
      "--retry-errors",
      "go on with an earlier run and try rows again that the target has refused",
      false,
    )
    .option("--end", "do not migrate: remove what the task left on both sides", false)
    .option("--data-dir <dir>", "where runs are remembered", defaultDataDir())
    .option("--json", "one event a line, for programs", false)
    .option("--verbose", "show what is logged, too", false)
    .addHelpText("after", HELP)
    .action(async (source: string, target: string, options: MigrateOptions) => {
      exit(await migrate({ source, target }, options, output));
    });
}

/** Runs one migration to its end. Throws before anything is changed when the request makes no sense. */
export async function migrate(
  urls: { readonly source: string; readonly target: string },
  options: MigrateOptions,
  output: Output,
): Promise<ExitCode> {
  const [{ registry }, { mappingsFromPatterns }] = await Promise.all([
    import("../../server/engines.ts"),
    import("../../mapping/selection.ts"),
  ]);
  const spec = await migrateSpec(urls, options, { registry, mappingsFromPatterns });
  await using run = await holdRun(options.dataDir, spec.id);
  if (options.end) return await endTask(spec, run, output);
  const json = options.json ? new JsonDisplay(output.stdout) : undefined;
  const start = await startMode(spec, options, run);
  const display = json ?? startDisplay(spec, start, options, output);
  json?.emit({
    event: "started",
    taskId: spec.id,
    type: spec.type,
    start,
    source: endpointLabel(spec.source),
    target: endpointLabel(spec.target),
  });
  const result = await runToEnd({ ...spec, start }, run, display);
  const { outcome } = result;
  display.close(outcome);
  await remember(spec, outcome, run);
  const code = exitCodeOf(spec, result, options);
  json?.outcome(outcome, code);
  const summary = migrateSummary({ spec, outcome, stopped: result.stopped });
  if (json === undefined) output.stdout.write(summary.text);
  output.stderr.write(summary.errors);
  return code;
}

function startDisplay(
  spec: TaskSpec,
  start: StartMode,
  options: MigrateOptions,
  output: Output,
): TaskDisplay {
  const title = printable(spec.name);
  output.stdout.write(`${title}  ${spec.type}\n`);
  if (start === "resume-processing") output.stdout.write("Resuming the earlier run of this command.\n");
  return taskDisplay(output, {
    title,
    hint: "Ctrl-C stops in order; the same command resumes.",
    verbose: options.verbose,
  });
}

async function startMode(spec: TaskSpec, options: MigrateOptions, run: HeldRun): Promise<StartMode> {
  const earlier = await run.read();
  if (options.fresh) {
    if (spec.type !== "cdc") return "reload-target";
    // There is nothing to load again: starting over means giving up the old stream for a new one.
    if (earlier !== undefined) await cleanUp(spec, run);
    return "start-replication";
  }
  if (earlier === undefined && options.retryErrors) {
    throw new MigrationError("usage.invalid", {
      message: "There is no earlier run of this command whose rows could be tried again.",
      remedy: "Give the same source, target, type and mappings as then, or leave --retry-errors out.",
    });
  }
  if (earlier === undefined) return "start-replication";
  // A full load that is over is not loaded again for it.
  if (options.retryErrors) return "resume-processing";
  return earlier.state === "unfinished" ? "resume-processing" : "start-replication";
}

interface RunResult {
  readonly outcome: TaskOutcome;
  /** Whether somebody asked it to stop. */
  readonly stopped: boolean;
  /** Whether all rows were there and the target followed the source. */
  readonly replicated: boolean;
}

async function runToEnd(spec: TaskSpec, run: HeldRun, display: TaskDisplay): Promise<RunResult> {
  const { runTask } = await import("../../server/run-task.ts");
  let stopped = false;
  let replicated = false;
  let recorded: Promise<void> | undefined;
  const listener = {
    progress(progress: TaskProgress): void {
      // Until the target is touched there is nothing to resume: a wrong password stays a first start.
      if (touchesTarget(progress)) recorded ??= run.write(recordOf(spec, "unfinished"));
      replicated ||= progress.phase === "replicating";
      display.progress(progress);
    },
    finding: display.finding.bind(display),
    log: display.log.bind(display),
  };
  const running: RunningTask = runTask(spec, listener);
  using _interrupts = onInterrupt(
    () => {
      stopped = true;
      display.note("Stopping in order; Ctrl-C again ends at once.");
      running.stop();
    },
    () => {
      display.close(undefined);
      process.exit(ExitCode.interrupted);
    },
  );
  const outcome = await running.outcome;
  if (touchesTarget(outcome.progress)) recorded ??= run.write(recordOf(spec, "unfinished"));
  await recorded;
  return { outcome, stopped, replicated };
}

function touchesTarget(progress: TaskProgress): boolean {
  return progress.phase !== "starting" && progress.phase !== "assessing";
}

function recordOf(spec: TaskSpec, state: "unfinished" | "finished") {
  const { id: taskId, name, type } = spec;
  return { version: 1, taskId, name, type, state, changedAt: new Date().toISOString() } as const;
}

/** A full load that is over starts afresh next time; a task with cdc always goes on where it was. */
async function remember(spec: TaskSpec, outcome: TaskOutcome, run: HeldRun): Promise<void> {
  if (spec.type === "full-load" && outcome.stopReason === "FULL_LOAD_ONLY_FINISHED") {
    await run.write(recordOf(spec, "finished"));
  }
}

/**
 * Replication without an end is stopped by hand, which is then its success. Anything else that is
 * stopped by hand is not done.
 */
function exitCodeOf(
  spec: TaskSpec,
  { outcome, stopped, replicated }: RunResult,
  { validate }: Pick<MigrateOptions, "validate">,
): ExitCode {
  if (outcome.state === "failed") {
    const { error } = outcome;
    return error !== undefined && MigrationError.fromJSON(error).scope === "usage"
      ? ExitCode.usage
      : ExitCode.failed;
  }
  const endless = !spec.untilCaughtUp && spec.cdcStopPosition === undefined;
  if (stopped && !(endless && replicated)) return ExitCode.failed;
  const { progress } = outcome;
  if (progress.retry?.state === "failed") return ExitCode.failed;
  const { retry } = progress;
  const isLeft = retry !== undefined && (retry.state !== "done" || retry.tables.some(({ left }) => left > 0));
  const { failed, leftOut } = progressTotals(progress);
  const isWhole = outcome.suspendedTables.length === 0 && failed === 0 && leftOut === 0 && !isLeft;
  const validation = validationTally(progress.tables);
  const isKnownEqual = validation === undefined ? !validate : isEqual(validation);
  return isWhole && isKnownEqual ? ExitCode.done : ExitCode.incomplete;
}

async function endTask(spec: TaskSpec, run: HeldRun, output: Output): Promise<ExitCode> {
  output.stdout.write(
    `Removing what task ${spec.id} left behind:\n` +
      `  on ${endpointLabel(spec.source)} its replication slot and publication\n` +
      `  on ${endpointLabel(spec.target)} its rows in the control tables\n` +
      "Migrated tables and rows stay.\n",
  );
  await cleanUp(spec, run);
  output.stdout.write("Done.\n");
  return ExitCode.done;
}

async function cleanUp(spec: TaskSpec, run: HeldRun): Promise<void> {
  const { cleanUpTask } = await import("../../server/run-task.ts");
  const abort = new AbortController();
  using _interrupts = onInterrupt(
    () => abort.abort(),
    () => process.exit(ExitCode.interrupted),
  );
  await cleanUpTask(spec, abort.signal);
  await run.forget();
}
