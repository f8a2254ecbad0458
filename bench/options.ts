import { parseArgs } from "node:util";
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

export type CommandLine =
  | { readonly kind: "run"; readonly options: BenchOptions }
  | { readonly kind: "help" }
  | { readonly kind: "list" }
  | { readonly kind: "refused"; readonly reason: string };

export interface Choice {
  readonly all: readonly Profile[];
  readonly select: (word: string) => readonly Profile[] | undefined;
  readonly serverVersions: readonly number[];
}

class Refusal extends Error {}

export function readCommandLine(args: readonly string[], choice: Choice): CommandLine {
  try {
    const { values, positionals } = parse(args);
    if (values.help) return { kind: "help" };
    if (values.list) return { kind: "list" };
    const profiles = chosenProfiles(positionals, choice);
    return {
      kind: "run",
      options: {
        profiles,
        scales: values.scale.split(",").map((text) => positive("--scale", text)),
        pairs: whole("--pairs", values.pairs),
        memory: values.memory,
        serverVersion: values.server === undefined ? undefined : server(values.server, choice.serverVersions),
        peers: values.peers === undefined ? undefined : chosenPeers(values.peers, profiles),
        json: values.json,
      },
    };
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", reason: error.message };
    throw error;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
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
  } catch (error) {
    throw new Refusal((error as Error).message);
  }
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

function positive(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1000) return value;
  throw new Refusal(
    `${option} takes numbers above 0 and up to 1000, with commas between them, and not "${text}".`,
  );
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 20) return value;
  throw new Refusal(`${option} takes a whole number from 1 to 20, and not "${text}".`);
}

function server(text: string, versions: readonly number[]): number {
  const value = Number(text);
  if (versions.includes(value)) return value;
  throw new Refusal(`--server takes one of ${versions.join(", ")}, and not "${text}".`);
}
