import { createHash } from "node:crypto";
import type { Command } from "commander";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { PlannedTable, ValidationSpec } from "../../server/validate.ts";
import { ExitCode } from "../exit-code.ts";
import { onInterrupt } from "../interrupts.ts";
import { endpointOfUrl, mappingsDocument, refuseSameDatabase, settingsDocument } from "../migrate-spec.ts";
import { numberIn, wholeNumberIn } from "../number-options.ts";
import { endpointLabel, type Output } from "../output.ts";
import { printable } from "../text-width.ts";
import { validationDisplay } from "../validation-display.ts";
import { ProgressFile } from "../validation-progress.ts";
import { AskedRepair, type RepairOptions, repairHint } from "../validation-repair.ts";
import { openReport } from "../validation-report.ts";
import { ValidationResult } from "../validation-result.ts";
import { type WhatToMove, withWhatToMove } from "../what-to-move.ts";

const HELP = `
Examples:
  tideway validate postgresql://me:secret@old/shop postgresql://me:secret@new/shop
  tideway validate --type full-load-and-cdc --mappings mappings.json --report result.json "$OLD" "$NEW"
  tideway validate --repair repair.sql "$OLD" "$NEW"

Give the same --type, --include, --exclude, --mappings and --settings as for the migration: rows are compared as
these make them. Both databases are only read, by digests that they compute themselves, and may be in use: a
difference counts when it is still there after the target has had the time to come to it. While a task of Tideway
brings changes its records on the target say when that is; without one a difference has to stay for --settle seconds.
--values shows values of rows that differ, which are otherwise named by their keys alone. --totals tells what tables come
to on both sides: rows, sums of numbers, first and last dates, for one more scan of each. --resume keeps in a file what
is done, table by table: the same command goes on from there when it was stopped or has failed.

--repair writes the statements that make the target's rows the source's into a file that only you can read.
--repair=apply tells how many rows of which tables these would insert, update and delete; with --yes it carries
them out, each some hundred in a transaction, and compares those tables again. It refuses to while a task brings changes
of the tables.
A password that is not in the URL is taken from TIDEWAY_SOURCE_PASSWORD or TIDEWAY_TARGET_PASSWORD.

Exit codes: 0 equal, 1 failed or stopped before the end, 2 wrong usage, 3 different, or not all of it could be compared.`;

export interface ValidateOptions extends WhatToMove, RepairOptions {
  readonly sample?: number;
  readonly settle: number;
  readonly sessions: number;
  readonly values: boolean;
  readonly totals: boolean;
  readonly report?: string;
  readonly resume?: string;
  readonly json: boolean;
}

export function validateCommand(program: Command, output: Output, exit: (code: ExitCode) => void): void {
  const command = program
    .command("validate")
    .description("Compare two databases, row by row, also while both are written.")
    .argument("<source-url>", "where the rows come from")
    .argument("<target-url>", "where they should be");
  withWhatToMove(command, "what the task moves that brings the rows")
    .option("--sample <percent>", "look for a part of the source's rows alone", numberIn(0.001, 100))
    .option("--settle <seconds>", "how long a difference has to stay", numberIn(0, 3600), 5)
    .option("--sessions <number>", "sessions of each side that read at once", wholeNumberIn(1, 49), 4)
    .option("--values", "show values of rows that differ", false)
    .option("--totals", "tell rows, sums of numbers, and first and last dates of both sides", false)
    .option("--report <file>", "write the result there, all differences included: .html or .json")
    .option("--repair <file>", "write the statements that make the target equal there; or apply")
    .option("--yes", "carry them out, with --repair=apply", false)
    .option("--resume <file>", "keep there what is done, and go on from it when it is there")
    .option("--json", "one event a line, for programs", false)
    .addHelpText("after", HELP)
    .action(async (source: string, target: string, options: ValidateOptions) => {
      exit(await validate({ source, target }, options, output));
    });
}

async function validate(
  urls: { readonly source: string; readonly target: string },
  options: ValidateOptions,
  output: Output,
): Promise<ExitCode> {
  const spec = await validationSpec(urls, options);
  const title = printable(`${endpointLabel(spec.source)} → ${endpointLabel(spec.target)}`);
  const { runValidation } = await import("../../server/validate.ts");
  using repair = new AskedRepair(options, title);
  using report = options.report === undefined ? undefined : openReport(options.report, title);
  const changes = repair.wish?.kind === "apply";
  using progress = options.resume === undefined ? undefined : await openProgress(options.resume, spec);
  const display = validationDisplay(output, { title, changes, json: options.json });
  const result = new ValidationResult([display, ...(report === undefined ? [] : [report])], progress);
  const takeOver =
    progress === undefined
      ? {}
      : { takeOver: (tables: readonly PlannedTable[]) => result.takeOver(progress, tables) };
  const abort = new AbortController();
  using _interrupts = onInterrupt(
    () => abort.abort(stopped(options)),
    () => {
      display.close();
      process.exit(ExitCode.interrupted);
    },
  );
  try {
    await runValidation({ ...spec, ...takeOver, repair: repair.wish }, result, abort.signal);
  } finally {
    display.close();
  }
  const totals = result.totals();
  const code = totals.isEqual ? ExitCode.done : ExitCode.incomplete;
  display.end(totals, code);
  report?.end(totals);
  progress?.end();
  repair.end();
  const hint = repairHint(options, totals.repairs);
  if (hint !== undefined && !options.json) output.stdout.write(`${printable(hint)}\n`);
  return code;
}

function stopped({ resume }: ValidateOptions): MigrationError {
  return new MigrationError("validation.stopped", {
    message: "The validation was stopped before its end.",
    ...(resume === undefined ? {} : { remedy: "Run the same command to go on; it has changed nothing." }),
  });
}

/** By what it is told whether a file is of the same comparison. How fast it goes is not part of it. */
function openProgress(path: string, spec: ValidationSpec): Promise<ProgressFile> {
  const digest = (value: unknown): string =>
    createHash("sha256").update(JSON.stringify(value)).digest("base64url");
  const endpoint = (config: EndpointConfig): string =>
    `${endpointLabel(config)} ${digest({ ...config, password: undefined })}`;
  return ProgressFile.open(path, {
    "source URL": endpoint(spec.source),
    "target URL": endpoint(spec.target),
    "--type": spec.type,
    "selection or document of mappings": digest(spec.tableMappings),
    "document of settings": digest(spec.settings),
    "--sample": String(spec.sample ?? "none"),
    "--values": String(spec.withValues),
    "--totals": String(spec.withTotals),
  });
}

async function validationSpec(
  urls: { readonly source: string; readonly target: string },
  options: ValidateOptions,
): Promise<ValidationSpec> {
  const [{ registry }, { mappingsFromPatterns }] = await Promise.all([
    import("../../server/engines.ts"),
    import("../../mapping/selection.ts"),
  ]);
  const source = endpointOfUrl(urls.source, "source", registry);
  const target = endpointOfUrl(urls.target, "target", registry);
  const tableMappings = await mappingsDocument(options, { mappingsFromPatterns });
  refuseSameDatabase(source, target, { tableMappings, registry });
  return {
    ...{ source, target, tableMappings },
    type: options.type,
    settings: await settingsDocument(options),
    sessions: options.sessions,
    withValues: options.values,
    sample: options.sample,
    withTotals: options.totals,
    settleMs: options.settle * 1000,
  };
}
