import type { Command } from "commander";
import type { MigrationToAssess } from "../../server/assess-migration.ts";
import type { Assessment } from "../../task/run-assessment.ts";
import { fixFile } from "../assess-fixes.ts";
import { assessmentHtml } from "../assess-html.ts";
import { assessmentJson } from "../assess-json.ts";
import { type AssessOptions, type AssessUrls, assessSpec } from "../assess-spec.ts";
import { assessmentText } from "../assess-text.ts";
import { ExitCode } from "../exit-code.ts";
import { onInterrupt } from "../interrupts.ts";
import { numberIn, wholeNumberIn } from "../number-options.ts";
import { type Output, paintFor } from "../output.ts";
import { ReportFile } from "../report-file.ts";
import { passOverOption, prepModeOption, withWhatToMove } from "../what-to-move.ts";

const HELP = `
Examples:
  tideway assess postgresql://me:secret@old/shop postgresql://me:secret@new/shop
  tideway assess --type full-load-and-cdc --html report.html --fix fixes.sql "$OLD" "$NEW"
  tideway assess --no-estimate --json mysql://me:secret@old/shop

Looks at what a migration would meet and says what will not work, what happens if that is passed over, and which
statement mends it. It only reads: nothing is changed on either side. Without a target URL the source alone is looked at.
For the estimate a part of the three largest tables is read to nowhere, and with --type cdc or full-load-and-cdc the
source is watched for a minute (--watch). A password that is not in a URL is taken from TIDEWAY_SOURCE_PASSWORD or
TIDEWAY_TARGET_PASSWORD.

Exit codes: 0 nothing stands in the way, 1 it could not be assessed, 2 wrong usage, 3 there are errors.`;

export function assessCommand(program: Command, output: Output, exit: (code: ExitCode) => void): void {
  const command = program
    .command("assess")
    .description("Say what a migration would meet, what mends it, and how long it takes. Changes nothing.")
    .argument("<source-url>", "where the data is, such as postgresql://user:password@host:5432/database")
    .argument("[target-url]", "where it is to go");
  withWhatToMove(command)
    .addOption(prepModeOption("what would be done with tables that are on the target"))
    .addOption(passOverOption())
    .option("--no-estimate", "do not read samples of tables and do not watch the source")
    .option("--watch <seconds>", "how long to watch the source's rate of changes", wholeNumberIn(1, 3600), 60)
    .option(
      "--target-space <gigabytes>",
      "space that the target has left, to be compared with what comes",
      numberIn(0, 1e9),
    )
    .option("--html <file>", "write a report for people, in one file that needs no other")
    .option("--fix <file>", "collect the statements that mend findings")
    .option("--json", "one JSON document, for programs", false)
    .addHelpText("after", HELP)
    .action(async (source: string, target: string | undefined, options: AssessOptions) => {
      exit(await assess({ source, target }, options, output));
    });
}

async function assess(urls: AssessUrls, options: AssessOptions, output: Output): Promise<ExitCode> {
  const [{ registry }, { mappingsFromPatterns }] = await Promise.all([
    import("../../server/engines.ts"),
    import("../../mapping/selection.ts"),
  ]);
  const order = await assessSpec(urls, options, { registry, mappingsFromPatterns });
  using html = fileOf(options.html, "--html");
  using fix = fileOf(options.fix, "--fix");
  const assessment = await run(order, output);
  if (assessment === undefined) return ExitCode.failed;
  const report = { name: order.spec.name, at: new Date(), assessment };
  const paint = paintFor(output.stdout);
  output.stdout.write(options.json ? assessmentJson(report) : assessmentText(report, paint));
  html?.end(assessmentHtml(report));
  fix?.end(fixFile(report));
  const isClean = assessment.findings.every(({ severity }) => severity !== "error");
  return isClean ? ExitCode.done : ExitCode.incomplete;
}

/** undefined when somebody has stopped it. */
async function run(order: MigrationToAssess, output: Output): Promise<Assessment | undefined> {
  const { assessMigration } = await import("../../server/assess-migration.ts");
  const { estimates, spec } = order;
  if (estimates !== undefined && spec.type !== "full-load") {
    output.stderr.write(
      `Watching the source for ${estimates.watchSeconds} s; --no-estimate leaves it out.\n`,
    );
  }
  const abort = new AbortController();
  using _interrupts = onInterrupt(
    () => abort.abort(),
    () => process.exit(ExitCode.interrupted),
  );
  try {
    return await assessMigration(order, abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    output.stderr.write("Stopped before the end. Nothing was changed.\n");
    return undefined;
  }
}

/** Where the option names one. */
function fileOf(path: string | undefined, option: string): ReportFile | undefined {
  return path === undefined ? undefined : new ReportFile(path, option);
}
