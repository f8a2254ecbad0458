import { type Command, Option } from "commander";

/** A repeatable option's values. */
export function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

/** The options that say what a task moves. `type`: what is said of its type. */
export function withWhatToMove(command: Command, type = "what to move"): Command {
  return command
    .addOption(
      new Option("--type <type>", type)
        .choices(["full-load", "cdc", "full-load-and-cdc"])
        .default("full-load"),
    )
    .option("--include <pattern>", "tables to take, as schema.table; repeatable", collect, [])
    .option("--exclude <pattern>", "tables to leave out; repeatable", collect, []);
}
