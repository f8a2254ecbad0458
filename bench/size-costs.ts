import { median, type ProfileResult } from "./result.ts";

/** Flat means that the dearest size costs at most this much more than the cheapest, per GB or change. */
const FLAT = 1.25;

/** What a GB, or a change, costs at each size of a profile that was measured at several. */
export function costBySize(results: readonly ProfileResult[]): readonly string[] {
  const byProfile = Map.groupBy(results, ({ profile }) => profile);
  return [...byProfile].flatMap(([profile, sizes]) => {
    if (sizes.length < 2) return [];
    const names = sizes[0]!.contenders.map(({ name }) => name);
    const lines = names.flatMap((name) => line(name, sizes));
    return lines.length === 0
      ? []
      : [`${profile}: cost by size\n${lines.map((text) => `  ${text}\n`).join("")}`];
  });
}

function line(name: string, sizes: readonly ProfileResult[]): readonly string[] {
  const costs = sizes.flatMap((result) => {
    const wallS = median(
      result.contenders.find((one) => one.name === name),
      "wallS",
    );
    return wallS === undefined ? [] : [{ ...costOf(result, wallS), scale: result.scale }];
  });
  if (costs.length < 2) return [];
  const values = costs.map(({ value }) => value);
  const growth = Math.max(...values) / Math.min(...values);
  const parts = costs.map(({ value, unit, size }) => `${value.toFixed(2)} ${unit} (${size})`);
  return [
    `${name}: ${parts.join(", ")}: ${growth <= FLAT ? "flat" : `not flat, ${growth.toFixed(2)}x apart`}`,
  ];
}

function costOf({ megabytes, rows }: ProfileResult, wallS: number) {
  return megabytes === undefined
    ? { value: (wallS * 1e6) / rows, unit: "µs a change", size: `${rows.toLocaleString("en-US")} changes` }
    : { value: (wallS * 1000) / megabytes, unit: "s a GB", size: `${megabytes.toFixed(0)} MB` };
}
