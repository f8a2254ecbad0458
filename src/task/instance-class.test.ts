import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { findInstanceClass, processLimits } from "./instance-class.ts";

const MIB = 1 << 20;

/** Keeps some of what it makes, which lets a young heap that may grow do so, and tells how large it is then. */
const PROBE = `let kept = [];
for (let i = 0; i < 2e6; i++) { kept.push({ i }); if (kept.length > 30_000) kept = []; }
const young = require("node:v8").getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
process.stdout.write(String(young.space_size));`;

function youngHeap(execArgv: readonly string[]): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...execArgv, "-e", PROBE], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return Number(stdout);
}

test("a worker's young heap stays small however much it allocates", () => {
  const { execArgv } = processLimits(findInstanceClass("dms.c5.large")!);
  assert(youngHeap(execArgv) <= 2 * MIB);
  assert(youngHeap([]) > 2 * MIB, "without the flags it grows: else this test shows nothing");
});
