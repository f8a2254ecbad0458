import { type ParseArgsConfig, parseArgs } from "node:util";

/* How programs for those who work on Tideway read their command lines. */

/** What a command line asks for that there is not, as a sentence for who wrote it. */
export class Refusal extends Error {}

export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
}

/** What a command line asks for. */
export type CommandLine<Options> =
  | { readonly kind: "run"; readonly options: Options }
  | { readonly kind: "help" }
  | Refused;

export interface Program<Options> {
  /** As it is called: `npm run soak`. */
  readonly name: string;
  readonly help: string;
  /** Resolves with the exit code. */
  readonly run: (options: Options) => Promise<number>;
}

/** Does what a command line asks for, and resolves with the exit code. */
export async function carryOut<Options>(
  command: CommandLine<Options>,
  { name, help, run }: Program<Options>,
): Promise<number> {
  if (command.kind === "run") return await run(command.options);
  if (command.kind === "help") {
    process.stdout.write(help);
    return 0;
  }
  process.stderr.write(`${command.reason}\n${name} -- --help says more.\n`);
  return 2;
}

/** What a command line says, or why it is refused. */
export function reading<Result>(read: () => Result): Result | Refused {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", reason: error.message };
    throw error;
  }
}

/** As parseArgs(), but what it throws is a Refusal. */
export function parseOptions<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new Refusal((error as Error).message);
  }
}

export interface Range {
  readonly least: number;
  readonly most: number;
}

export function numberIn(option: string, text: string, { least, most }: Range): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new Refusal(`${option} takes a number from ${least} to ${most}, and not "${text}".`);
}

export function wholeNumberIn(option: string, text: string, range: Range): number {
  const value = numberIn(option, text, range);
  if (Number.isInteger(value)) return value;
  throw new Refusal(`${option} takes a whole number, and not "${text}".`);
}
