import assert from "node:assert/strict";
import { test } from "node:test";
import type { Profile } from "./profile.ts";
import { report } from "./report.ts";
import type { ContenderResult, Figures, ProfileResult, RunResult } from "./result.ts";
import { costBySize } from "./size-costs.ts";
import { judge, type Target } from "./target.ts";

const base: Figures = {
  wallS: 10,
  toolCpuS: 1,
  sourceCpuS: 2,
  targetCpuS: 3,
  totalCpuS: 6,
  peakMb: 100,
  foreignCpuS: 0,
  lagP50Ms: undefined,
  lagP99Ms: undefined,
  lagMaxMs: undefined,
  transactionsPerS: undefined,
};

function contender(name: string, ...runs: readonly (Partial<Figures> | string)[]): ContenderResult {
  return {
    name,
    missing: undefined,
    runs: runs.map(
      (run, round): RunResult =>
        typeof run === "string"
          ? { round, figures: undefined, problem: run }
          : { round, figures: { ...base, ...run }, problem: undefined },
    ),
  };
}

function result(contenders: readonly ContenderResult[], parts: Partial<ProfileResult> = {}): ProfileResult {
  return {
    profile: "p",
    scale: 1,
    memory: false,
    serverVersion: 15,
    rows: 1_000_000,
    megabytes: 200,
    contenders,
    ...parts,
  };
}

function profile(targets: readonly Target[]): Profile {
  return {
    name: "p",
    description: "a profile",
    fairness: "",
    shows: "throughput",
    serverVersion: 15,
    mariadb: false,
    minutes: 1,
    contenders: [],
    targets,
    warmUps: 0,
    prepare: () => Promise.reject(new Error("not run")),
  };
}

const faster: Target = { kind: "faster", metric: "wallS", peers: ["a", "b"], limit: 1.5 };

test("speed is compared with the fastest of the peers", () => {
  const measured = result([
    contender("tideway", { wallS: 10 }),
    contender("a", { wallS: 30 }),
    contender("b", { wallS: 14 }),
  ]);
  const [verdict] = judge(measured, [faster]);
  assert.deepEqual(verdict, { text: "speed against b 1.40x, target at least 1.50x", met: false });
});

test("shares, differences and caps are met from below", () => {
  const measured = result([
    contender("tideway", { toolCpuS: 1, lagP50Ms: 5, peakMb: 299 }),
    contender("a", { toolCpuS: 2, lagP50Ms: 2 }),
  ]);
  const verdicts = judge(measured, [
    { kind: "share", metric: "toolCpuS", peers: ["a"], limit: 0.6 },
    { kind: "over", metric: "lagP50Ms", peers: ["a"], limit: 2 },
    { kind: "share", metric: "totalCpuS", peers: ["a"], limit: 0.8, where: "memory" },
  ]);
  assert.deepEqual(verdicts, [
    { text: "tool CPU against a 0.50x, target at most 0.60x", met: true },
    { text: "lag p50 against a 3.0 ms more, target at most 2.0 ms more", met: false },
    { text: "peak RSS 299 MB, target at most 300 MB", met: true },
  ]);
});

test("without a figure of the peer a target is neither met nor missed", () => {
  const measured = result([contender("tideway", {}), contender("a", "it crashed")]);
  assert.equal(judge(measured, [faster])[0]?.met, undefined);
});

test("the table shows medians, spreads and ratios, and fits 140 columns", () => {
  const measured = result([
    contender("tideway", { wallS: 9 }, { wallS: 10 }, { wallS: 12 }),
    contender("a", { wallS: 20 }, { wallS: 18 }, { wallS: 23 }),
    { name: "b", missing: "apt-get install b", runs: [] },
  ]);
  const text = report([{ profile: profile([faster]), result: measured }]);
  assert.match(text, /tideway +3 +10\.00 \(9\.00–12\.00\) +100k +20\.0 /);
  assert.match(text, /a +3 +20\.00 \(18\.00–23\.00\) .* 2\.00x \(1\.80–2\.22\)\n/);
  assert.match(text, /b: did not run: apt-get install b\n/);
  assert.match(text, /\[ met {2}\] speed against a 2\.00x/);
  for (const line of text.split("\n").slice(1)) assert.ok(line.length <= 140, line);
});

test("a run whose rows are wrong has no figure and is told", () => {
  const text = report([
    { profile: profile([]), result: result([contender("tideway", "one row is missing", { wallS: 8 })]) },
  ]);
  assert.match(text, /tideway +1 +8\.00 /);
  assert.match(text, /NO FIGURE: p, tideway, run 1: one row is missing/);
});

test("what a gigabyte costs is flat or not", () => {
  const sizes = (large: number): readonly string[] =>
    costBySize([
      result([contender("tideway", { wallS: 1 })], { megabytes: 100 }),
      result([contender("tideway", { wallS: large })], { megabytes: 1000, scale: 10 }),
    ]);
  assert.match(sizes(11)[0]!, /tideway: 10\.00 s a GB \(100 MB\), 11\.00 s a GB \(1000 MB\): flat/);
  assert.match(sizes(20)[0]!, /not flat, 2\.00x apart/);
});
