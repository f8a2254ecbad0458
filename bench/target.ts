import { contenderOf, type Metric, median, type ProfileResult } from "./result.ts";

/**
 * What Tideway is meant to reach. `faster`: the peer's wall time over ours is at least the limit;
 * `share`: ours is at most that part of the peer's; `over`: ours is at most that much above the
 * peer's; `cap`: ours is at most the limit; `rate`: so many rows a second at least. Of several peers the one with the shortest time counts.
 */
export interface Target {
  readonly kind: "faster" | "share" | "over" | "cap" | "rate";
  /** `faster` and `rate` are about wall time. */
  readonly metric: Metric;
  readonly peers: readonly string[];
  readonly limit: number;
  /** Holds only with the servers' data there; everywhere when left out. */
  readonly where?: "disk" | "memory";
}

export interface Verdict {
  /** Such as "speed against pgcopydb 1.10x, target at least 1.10x". */
  readonly text: string;
  /** undefined when one side has no figure. */
  readonly met: boolean | undefined;
}

const words: Readonly<Record<Metric, readonly [name: string, unit: string]>> = {
  wallS: ["wall time", "s"],
  toolCpuS: ["tool CPU", "s"],
  sourceCpuS: ["source CPU", "s"],
  targetCpuS: ["target CPU", "s"],
  totalCpuS: ["total CPU", "s"],
  peakMb: ["peak RSS", "MB"],
  foreignCpuS: ["CPU of others", "s"],
  lagP50Ms: ["lag p50", "ms"],
  lagP99Ms: ["lag p99", "ms"],
  lagMaxMs: ["lag max", "ms"],
  transactionsPerS: ["transactions", "/s"],
};

/** Every profile's. */
const MEMORY_TARGET: Target = { kind: "cap", metric: "peakMb", peers: [], limit: 300 };

export function judge(result: ProfileResult, targets: readonly Target[]): readonly Verdict[] {
  const where = result.memory ? "memory" : "disk";
  return [...targets, MEMORY_TARGET]
    .filter((target) => target.where === undefined || target.where === where)
    .map((target) => judgeOne(result, target));
}

/** Such as "speed against pgcopydb at least 1.10x (on disk)". */
export function describeTarget(target: Target): string {
  const what = isSpeed(target) ? "speed" : words[target.metric][0];
  const against = target.peers.length === 0 ? "" : ` against ${target.peers.join(" or ")}`;
  const where = { disk: " (data on disk)", memory: " (data in memory)" };
  return `${what}${against}, ${limitText(target)}${target.where === undefined ? "" : where[target.where]}`;
}

/** The peer with the shortest median time, or least lag where a lag is compared. */
export function bestPeer(
  result: ProfileResult,
  names: readonly string[],
  metric: Metric,
): string | undefined {
  const by: Metric = metric.startsWith("lag") ? metric : "wallS";
  const times = names.flatMap((name) => {
    const time = median(contenderOf(result, name), by);
    return time === undefined ? [] : [{ name, time }];
  });
  return times.toSorted((left, right) => left.time - right.time)[0]?.name;
}

function judgeOne(result: ProfileResult, target: Target): Verdict {
  const peer = bestPeer(result, target.peers, target.metric);
  const what = isSpeed(target) ? "speed" : words[target.metric][0];
  const against = target.peers.length === 0 ? "" : ` against ${peer ?? target.peers.join(" or ")}`;
  const value = measured(result, target, peer);
  const met =
    value === undefined ? undefined : isSpeed(target) ? value >= target.limit : value <= target.limit;
  return { text: `${what}${against} ${shown(target, value)}, target ${limitText(target)}`, met };
}

function isSpeed({ kind }: Target): boolean {
  return kind === "faster" || kind === "rate";
}

function limitText(target: Target): string {
  return `at ${isSpeed(target) ? "least" : "most"} ${shown(target, target.limit)}`;
}

function shown(target: Target, value: number | undefined): string {
  if (target.kind === "faster" || target.kind === "share") return times(value);
  if (target.kind === "rate") return `${value === undefined ? "?" : Math.round(value)} rows/s`;
  return `${number(value)} ${words[target.metric][1]}${target.kind === "over" ? " more" : ""}`;
}

function measured(result: ProfileResult, target: Target, peer: string | undefined): number | undefined {
  const ours = median(result.contenders[0], target.metric);
  if (target.kind === "rate") return ours === undefined ? undefined : result.rows / ours;
  if (target.kind === "cap" || ours === undefined) return ours;
  const theirs = peer === undefined ? undefined : median(contenderOf(result, peer), target.metric);
  if (theirs === undefined) return undefined;
  if (target.kind === "over") return ours - theirs;
  return target.kind === "faster" ? theirs / ours : ours / theirs;
}

function times(value: number | undefined): string {
  return value === undefined ? "?" : `${value.toFixed(2)}x`;
}

function number(value: number | undefined): string {
  return value === undefined ? "?" : value.toFixed(Math.abs(value) < 10 ? 1 : 0);
}
