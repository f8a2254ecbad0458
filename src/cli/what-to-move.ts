import { type Command, Option } from "commander";
import type { MigrationType } from "../core/source.ts";

/** What a task moves, as commander hands it over. */
export interface WhatToMove {
  readonly type: MigrationType;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly mappings?: string;
  readonly settings?: string;
  /** Codes of findings, or code:object. */
  readonly passOver?: readonly string[];
}

/** A repeatable option's values. */
export function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}

/** The options that say what a task moves. `type`: what is said of its type. */
export function withWhatToMove(command: Command, type = "what to move"): Command {
  return command
    .addOption(typeOption(type))
    .option("--include <pattern>", "tables to take, as schema.table; repeatable", collect, [])
    .option("--exclude <pattern>", "tables to leave out; repeatable", collect, [])
    .option("--mappings <file>", "AWS DMS table mappings (JSON) instead of patterns; - for standard input")
    .option("--settings <file>", "AWS DMS task settings (JSON), any subset");
}

/** Repeatable; beside what the settings name. */
export function passOverOption(): Option {
  return new Option(
    "--pass-over <code[:object]>",
    "start in spite of this error of the assessment, where the servers may know better; repeatable",
  )
    .argParser(collect)
    .default([], "none");
}

export function typeOption(about: string): Option {
  return new Option("--type <type>", about)
    .choices(["full-load", "cdc", "full-load-and-cdc"])
    .default("full-load");
}

/** --prep-mode beside DMS's TargetTablePrepMode. */
export const prepModes = {
  "drop-and-create": "DROP_AND_CREATE",
  truncate: "TRUNCATE_BEFORE_LOAD",
  "do-nothing": "DO_NOTHING",
} as const;
export type PrepModeName = keyof typeof prepModes;

export function prepModeOption(about: string): Option {
  return new Option("--prep-mode <mode>", about).choices(Object.keys(prepModes));
}
