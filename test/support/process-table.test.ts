import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { descendantsOf, parseMachineCpu, parseStat, parseStatusBytes, treeCpuS } from "./process-table.ts";

test("a process's name may hold parentheses and blanks without moving its figures", () => {
  const text =
    "42 (pg (a) b) S 7 42 42 0 -1 4194560 10 20 30 40 150 250 1000 2000 20 0 1 0 99 1 2 18446744073709551615";
  assert.deepEqual(parseStat(text), { parent: 7, ownS: 4, endedChildrenS: 30 });
});

test("memory is read in kilobytes, and is nothing for a process that is ending", () => {
  const text = "Name:\tnode\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n";
  assert.equal(parseStatusBytes(text, "VmHWM"), 2_097_152);
  assert.equal(parseStatusBytes(text, "VmRSS"), 1_048_576);
  assert.equal(parseStatusBytes("Name:\tgone\n", "VmRSS"), 0);
});

test("the machine's busy time leaves out idling, waiting and what was stolen", () => {
  const text = "cpu  100 200 300 5000 600 70 30 800 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
  assert.deepEqual(parseMachineCpu(text), { busyS: 7, stolenS: 8 });
});

test("CPU time of a tree holds children that run and children that have ended", async () => {
  // The inner shell counts and ends, the outer one stays until its input is closed.
  const busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
  const child = spawn("bash", ["-c", `bash -c '${busy}; true'; echo done; read line`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    assert.ok(treeCpuS(child.pid!) >= 0.1, `${treeCpuS(child.pid!)} s`);
    assert.ok(descendantsOf(process.pid).includes(child.pid!));
  } finally {
    const ended = once(child, "exit");
    child.stdin.end();
    await ended;
  }
});
