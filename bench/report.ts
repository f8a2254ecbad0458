import type { Profile } from "./profile.ts";
import { median, type ProfileResult, problemsOf } from "./result.ts";
import { resultTable } from "./result-table.ts";
import { costBySize } from "./size-costs.ts";
import { judge, type Verdict } from "./target.ts";
import { wrap } from "./usage.ts";

/** More CPU of others than this part of a run's wall time is worth a note. Under a load it holds pgbench's, too. */
const NOISE: Readonly<Record<Profile["shows"], number>> = { throughput: 0.15, lag: 0.4 };
/** Less than this is the bookkeeping of a short run. */
const NOISE_S = 0.3;

export interface Measured {
  readonly profile: Profile;
  readonly result: ProfileResult;
}

/** The whole outcome for a person. */
export function report(measured: readonly Measured[]): string {
  return [...measured.map(section), ...costBySize(measured.map(({ result }) => result))].join("\n");
}

function section({ profile, result }: Measured): string {
  const size = [
    ...(result.rows === 0 ? [] : [`${result.rows.toLocaleString("en-US")} rows`]),
    ...(result.megabytes === undefined ? [] : [`${result.megabytes.toFixed(0)} MB`]),
    `PostgreSQL ${result.serverVersion}`,
    result.memory ? "data in memory" : "data on disk",
    ...(result.scale === 1 ? [] : [`scale ${result.scale}`]),
  ];
  const lines = [
    ...wrap(`how: ${profile.fairness}`, 130).map((line) => `  ${line}`),
    ...judge(result, profile.targets).map((verdict) => `  ${mark(verdict)} ${verdict.text}`),
    ...noise(result, NOISE[profile.shows]).map((line) => `  note: ${line}`),
    ...problemsOf(result).map((line) => `  NO FIGURE: ${line}`),
  ];
  const title = `${profile.name}: ${profile.description} (${size.join(", ")})`;
  return `${title}\n${resultTable(result, profile.shows)}${lines.map((line) => `${line}\n`).join("")}`;
}

function mark({ met }: Verdict): string {
  return met === undefined ? "[  ?   ]" : met ? "[ met  ]" : "[missed]";
}

function noise(result: ProfileResult, share: number): readonly string[] {
  return result.contenders.flatMap((one) => {
    const [foreign, wall] = [median(one, "foreignCpuS"), median(one, "wallS")];
    if (foreign === undefined || wall === undefined || foreign < Math.max(NOISE_S, share * wall)) return [];
    return [
      `while ${one.name} ran, others took ${foreign.toFixed(1)} s of CPU (this program's watching included)`,
    ];
  });
}
