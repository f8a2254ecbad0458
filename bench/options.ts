import {
  type CommandLine,
  numberIn,
  parseOptions,
  type Range,
  Refusal,
  reading,
  wholeNumberIn,
} from "../test/support/program-options.ts";
import type { Profile } from "./profile.ts";

export interface BenchOptions {
  readonly profiles: readonly Profile[];
  readonly scales: readonly number[];
  readonly pairs: number;
  readonly memory: boolean;
  /** undefined for each profile's own. */
  readonly serverVersion: number | undefined;
  /** undefined for all. */
  readonly peers: readonly string[] | undefined;
  /** undefined for the default place. */
  readonly json: string | undefined;
}

export type BenchCommandLine = CommandLine<BenchOptions> | { readonly kind: "list" };

export interface Choice {
  readonly all: readonly Profile[];
  readonly select: (word: string) => readonly Profile[] | undefined;
  readonly serverVersions: readonly number[];
}

/** Of the rows that a profile has at 1. */
const SCALES: Range = { least: 0.0001, most: 1000 };
const PAIRS: Range = { least: 1, most: 20 };

export function readCommandLine(args: readonly string[], choice: Choice): BenchCommandLine {
  return reading(() => {
    const { values, positionals } = parseOptions({
      args: [...args],
      allowPositionals: true,
      options: {
        scale: { type: "string", default: "1" },
        pairs: { type: "string", default: "3" },
        memory: { type: "boolean", default: false },
        server: { type: "string" },
        peers: { type: "string" },
        json: { type: "string" },
        list: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    if (values.list) return { kind: "list" };
    const profiles = chosenProfiles(positionals, choice);
    return {
      kind: "run",
      options: {
        profiles,
        scales: values.scale.split(",").map((text) => numberIn("--scale", text, SCALES)),
        pairs: wholeNumberIn("--pairs", values.pairs, PAIRS),
        memory: values.memory,
        serverVersion: values.server === undefined ? undefined : server(values.server, choice.serverVersions),
        peers: values.peers === undefined ? undefined : chosenPeers(values.peers, profiles),
        json: values.json,
      },
    };
  });
}

function chosenProfiles(words: readonly string[], { all, select }: Choice): readonly Profile[] {
  if (words.length === 0) return all;
  const chosen = words.flatMap((word) => {
    const found = select(word);
    if (found !== undefined) return found;
    throw new Refusal(
      `There is no profile ${word}. There are: ${all.map(({ name }) => name).join(", ")}; a name before "/" stands for all of its cases.`,
    );
  });
  return [...new Set(chosen)];
}

function chosenPeers(text: string, profiles: readonly Profile[]): readonly string[] {
  const known = [
    ...new Set(profiles.flatMap(({ contenders }) => contenders.slice(1).map(({ name }) => name))),
  ];
  const wanted = text.split(",").map((name) => name.trim());
  const wrong = wanted.find((name) => name !== "none" && !known.includes(name));
  if (wrong === undefined) return wanted;
  throw new Refusal(`There is no peer "${wrong}". These profiles have: ${known.join(", ")}; or none.`);
}

function server(text: string, versions: readonly number[]): number {
  const value = Number(text);
  if (versions.includes(value)) return value;
  throw new Refusal(`--server takes one of ${versions.join(", ")}, and not "${text}".`);
}
