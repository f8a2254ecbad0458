import type { Command } from "commander";
import { MigrationError } from "../../core/error.ts";
import type { MigrationType } from "../../core/source.ts";
import type { CheckedMappings } from "../../server/check-mappings.ts";
import { ExitCode } from "../exit-code.ts";
import { mappingsJson, mappingsText } from "../mappings-report.ts";
import { documentOf, endpointOfUrl } from "../migrate-spec.ts";
import { type Output, paintFor } from "../output.ts";
import { typeOption } from "../what-to-move.ts";

const HELP = `
Examples:
  tideway mappings check mappings.json
  tideway mappings check mappings.json --source "$OLD" --target "$NEW" --type full-load-and-cdc

Without --source only the document is read. With it, every selected table is shown with what the rules make of
it: its name, which rows come, and each column that does not come as it is. Nothing is changed anywhere.
A password that is not in a URL is taken from TIDEWAY_SOURCE_PASSWORD or TIDEWAY_TARGET_PASSWORD.

Exit codes: 0 the document can be used, 1 it cannot be carried out as it is, 2 it is refused, or wrong usage.`;

interface CheckOptions {
  readonly source?: string;
  readonly target?: string;
  readonly type: MigrationType;
  readonly columns: boolean;
  readonly json: boolean;
}

export function mappingsCommand(program: Command, output: Output, exit: (code: ExitCode) => void): void {
  program
    .command("mappings")
    .description("Table mappings: documents of AWS DMS that say what is moved, and as what.")
    .addHelpText("after", HELP)
    .command("check")
    .description("Show what a document does.")
    .argument("<file>", "the document (JSON); - for standard input")
    .option("--source <url>", "the database that it is about")
    .option("--target <url>", "where the tables go; it names their types")
    .addOption(typeOption("what the task moves"))
    .option("--columns", "show every column, also those that come as they are", false)
    .option("--json", "one JSON document, for programs", false)
    .addHelpText("after", HELP)
    .action(async (file: string, options: CheckOptions) => exit(await check(file, options, output)));
}

async function check(file: string, options: CheckOptions, output: Output): Promise<ExitCode> {
  if (options.source === undefined && options.target !== undefined) {
    throw new MigrationError("usage.invalid", {
      message: "--target needs --source.",
      remedy: "Name the database whose tables are to be moved there by --source.",
    });
  }
  const [{ registry }, { checkMappings }, document] = await Promise.all([
    import("../../server/engines.ts"),
    import("../../server/check-mappings.ts"),
    documentOf(file, "<file>"),
  ]);
  const { source, target, type } = options;
  const checked = await checkMappings(
    {
      ...{ document, type },
      ...(source === undefined ? {} : { source: endpointOfUrl(source, "source", registry) }),
      ...(target === undefined ? {} : { target: endpointOfUrl(target, "target", registry) }),
    },
    new AbortController().signal,
  );
  const paint = paintFor(output.stdout);
  output.stdout.write(
    options.json ? mappingsJson(checked) : mappingsText(checked, { paint, everyColumn: options.columns }),
  );
  return isUsable(checked) ? ExitCode.done : ExitCode.failed;
}

function isUsable({ checked }: CheckedMappings): boolean {
  return checked === undefined || checked.findings.every(({ severity }) => severity !== "error");
}
