import { type Command, Option } from "commander";

/** A repeatable option's values. */
export function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

/** The options that say what a task moves. */
export function withWhatToMove(command: Command): Command {
  return command
    .addOption(
      new Option("--type <type>", "what to move")
        .choices(["full-load", "cdc", "full-load-and-cdc"])
        .default("full-load"),
    )
    .option("--include <pattern>", "tables to take, as schema.table; repeatable", collect, [])
    .option("--exclude <pattern>", "tables to leave out; repeatable", collect, []);
}
