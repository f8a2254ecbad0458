import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Machine } from "./machine.ts";
import type { BenchOptions } from "./options.ts";
import { serverSettings } from "./servers.ts";
import type { Outcome } from "./session.ts";
import { judge } from "./target.ts";

export interface Results extends Outcome {
  readonly options: BenchOptions;
  readonly startedMs: number;
  readonly machine: Machine;
  /** Versions of the programs of others. */
  readonly tools: Readonly<Record<string, string>>;
}

/** The default place: one file a run, named by when and what. */
export function resultFile({ profiles }: BenchOptions, startedMs: number): string {
  const names = profiles.length > 3 ? "many" : profiles.map(({ name }) => name.replace("/", "-")).join("+");
  const time = new Date(startedMs).toISOString().slice(0, 19).replaceAll(":", "");
  const path = join(import.meta.dirname, "..", "bench-results", `${time}-${names}.json`);
  return relative(process.cwd(), path);
}

export async function writeResults(path: string, results: Results): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(document(results), undefined, 2)}\n`);
}

function document({ options, startedMs, machine, tools, measured, failures }: Results) {
  return {
    startedAt: new Date(startedMs).toISOString(),
    seconds: Math.round((Date.now() - startedMs) / 1000),
    machine,
    tools,
    serverSettings,
    pairs: options.pairs,
    memory: options.memory,
    failures,
    profiles: measured.map(({ profile, result }) => ({
      description: profile.description,
      fairness: profile.fairness,
      ...result,
      verdicts: judge(result, profile.targets),
    })),
  };
}
