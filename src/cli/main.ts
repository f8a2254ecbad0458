import { readFileSync } from "node:fs";
import { Command, CommanderError, Help, type Option } from "commander";
import { asMigrationError, MigrationError } from "../core/error.ts";
import { ExitCode } from "./exit-code.ts";
import { errorLines, type Output, ReportedFault } from "./output.ts";

const HELP = `
Examples:
  tideway migrate postgresql://me:secret@old/shop postgresql://me:secret@new/shop
  tideway assess postgresql://me:secret@old/shop postgresql://me:secret@new/shop --html report.html
  tideway validate postgresql://me:secret@old/shop postgresql://me:secret@new/shop
  tideway serve --data-dir ./tideway-data
  tideway task list
  tideway cleanup --dry-run postgresql://me:secret@old/shop

Run tideway <command> --help for a command's options and an example.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 finished with tables suspended or lacking something, or rows left out; databases differ; or an assessment has errors.`;

type AddCommand = (program: Command, output: Output, exit: (code: ExitCode) => void) => void;

/** Each is loaded when it is called: the AWS SDK, which some need, takes longer to load than all else. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
  assess: async () => (await import("./commands/assess.ts")).assessCommand,
  validate: async () => (await import("./commands/validate.ts")).validateCommand,
  serve: async () => (await import("./commands/serve.ts")).serveCommand,
  endpoint: async () => (await import("./commands/endpoint.ts")).endpointCommand,
  task: async () => (await import("./commands/task.ts")).taskCommand,
  mappings: async () => (await import("./commands/mappings.ts")).mappingsCommand,
  cleanup: async () => (await import("./commands/cleanup.ts")).cleanupCommand,
  instance: async () => (await import("./commands/instance.ts")).instanceCommand,
};

/** How long a connection that nobody closed may keep the process after a command has ended. */
const LINGER_MS = 3_000;

/** The command line's entry: runs it on the process's streams and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that has gone (`| head`) is no error; what cannot be written is let go.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  process.exitCode = await runCommandLine(args, { stdout: process.stdout, stderr: process.stderr });
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Runs one command line and resolves with its exit code. Never rejects: errors are written to stderr. */
export async function runCommandLine(args: readonly string[], output: Output): Promise<ExitCode> {
  let code: ExitCode = ExitCode.done;
  const program = commandLine(output);
  try {
    for (const add of await commandsFor(args)) {
      add(program, output, (result) => {
        code = result;
      });
    }
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, output);
    output.stderr.write(errorLines(error));
    if (error instanceof ReportedFault) return ExitCode.failed;
    return asMigrationError(error).scope === "usage" ? ExitCode.usage : ExitCode.failed;
  }
}

/** The command that is called, or all of them for help and for what is not understood. */
async function commandsFor([name = ""]: readonly string[]): Promise<readonly AddCommand[]> {
  const wanted = Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
  return await Promise.all(wanted.map((load) => load()));
}

function commandLine(output: Output): Command {
  return new Command("tideway")
    .description("Moves databases while they are in use: full load, then changes, then cutover.")
    .version(version(), "-V, --version")
    .configureHelp({ optionDescription })
    .addHelpText("after", HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.stdout.write(text),
      writeErr: (text) => output.stderr.write(text),
      // Reported by usageExit, in the form that every error has.
      outputError: () => undefined,
    });
}

/** That a flag is off and a list empty goes without saying. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(/ ?\(default: (false|\[\])\)/, "");
}

/** commander ends by throwing: with exit code 0 after help, else with what it did not understand. */
function usageExit(error: CommanderError, output: Output): ExitCode {
  if (error.exitCode === 0) return ExitCode.done;
  if (error.code === "commander.help") return ExitCode.usage;
  const said = error.message
    .replace(/^error: /, "")
    .replaceAll("\n", " ")
    .trim();
  const message = `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.?)]$/.test(said) ? "" : "."}`;
  output.stderr.write(errorLines(new MigrationError("usage.invalid", { message })));
  return ExitCode.usage;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(manifestUrl(), "utf8")) as { version: string };
  return manifest.version;
}

/** Beside src in a clone, beside dist in the package. */
function manifestUrl(): URL {
  return new URL("../../package.json", import.meta.url);
}
